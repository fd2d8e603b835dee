"""What a filter names (models, files, steps) is found by the plan and known by its content."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from toys import STAGES, InProcess

from potstill.pipeline.catalog import Catalog
from potstill.pipeline.errors import RequestError
from potstill.pipeline.filter import Filter, JudgeContext
from potstill.pipeline.peek import context_for
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.references import Execution, Model
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Config
from potstill.pipeline.verdict import Verdict


class Inner(Config):
    model: Model


class ByModel(InProcess):
    """Names models, one of them deep in its config, and says how fast to go."""

    kind: ClassVar[str] = "by_model"
    reasons: ClassVar[frozenset[str]] = frozenset({"ok"})

    model: Model
    inner: Inner | None = None
    speed: Annotated[int, Execution()] = 1

    def judge_one(self, sample: Sample) -> Verdict:
        return Verdict(1.0, "ok")


FILTERS: dict[str, type[Filter]] = {"by_model": ByModel}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a model folder below the current one."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "config.json").write_text(content, "utf-8")
        (tmp_path / name / "model.safetensors").write_text(content, "utf-8")

    return write


def plan_of(filters: Any, **steps: Any) -> Plan:
    values = {
        "potstill": 1,
        "name": "toy",
        "filters": filters,
        "steps": {"first": {"numbers": {}}, **steps},
    }
    return make_plan(recipe_of(values, Catalog(STAGES, FILTERS)), Path("work"))


def kept(**config: Any) -> Plan:
    copy = {"copy": {"samples": "first", "keep": {"by_model": 1.0}}}
    return plan_of({"by_model": config}, second=copy)


def test_a_model_is_identity_by_content_and_never_by_its_place(
    models: Callable[[str, str], None],
) -> None:
    models("a", "one")
    models("b", "one")
    models("c", "two")
    address = kept(model="./a").node("second").address
    assert kept(model="./b").node("second").address == address
    assert kept(model="./c").node("second").address != address
    assert kept(model="./a", speed=9).node("second").address == address
    assert kept(model="./a", inner={"model": "./b"}).node("second").address != address
    assert kept(model="./a").node("first").address == kept(model="./c").node("first").address


def test_the_step_finds_the_folder_and_the_fingerprint_the_content(
    models: Callable[[str, str], None],
) -> None:
    models("a", "one")
    models("b", "one")
    prints = []
    for name in ("./a", "./b"):
        plan = kept(model=name)
        context = context_for(plan, plan.node("second"), {})
        assert context.judging.path(name) == Path(name).resolve()
        prints.append(context.filters["by_model"].identity(context.digest))
    assert prints[0] == prints[1]


def test_a_step_that_makes_the_model_is_an_input_of_the_step_that_judges(
    models: Callable[[str, str], None],
) -> None:
    models("a", "one")
    filters = {"by_model": {"model": "taught"}}
    copy = {"copy": {"samples": "first", "keep": {"by_model": 1.0}}}
    plan = plan_of(filters, second=copy, taught={"teach": {"data": "first", "model": "./a"}})
    assert plan.node("second").inputs == ("first", "taught")
    assert [node.name for node in plan.nodes] == ["first", "taught", "second"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "./nowhere"}, "nowhere does not exist"),
        ({"model": "taut"}, "'taut' is no step"),
        ({"model": "first"}, "step 'first' makes samples; model of step 'second' needs model"),
    ],
)
def test_what_is_not_there_is_told_with_its_place(
    models: Callable[[str, str], None], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        kept(**config)


def test_outside_of_a_step_nothing_can_be_found() -> None:
    with pytest.raises(RequestError, match="can only be found by a step"):
        JudgeContext().path("./a")
    with pytest.raises(RequestError, match="its content is asked"):
        ByModel(model="./a").identity()


def test_a_library_that_is_not_there_is_told_with_its_name() -> None:
    class Needs(ByModel):
        depends: ClassVar[tuple[str, ...]] = ("no-such-distribution",)

    with pytest.raises(RequestError, match="needs no-such-distribution, which is not installed"):
        Needs(model="./a").identity(str)


def test_the_module_of_a_filter_of_ones_own_is_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_filter_for_test.py"
    code = (
        "from potstill.pipeline.filter import RowFilter\n"
        "class Own(RowFilter):\n"
        "    kind = 'own'\n"
        "    reasons = frozenset()\n"
        "    def judge_one(self, sample): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    prints = []
    for text in (code, code, code + "# another judgement\n"):
        module.write_text(text, "utf-8")
        sys.modules.pop(module.stem, None)
        found = Catalog({}, {}).filter(f"{module.stem}:Own")
        prints.append(found().identity())
    assert prints[0] == prints[1] != prints[2]
