"""What a recipe may say of how a model is asked, and what cannot be meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError
from toys import FILTERS, STAGES

from potstill.models.few_shot import Drawn, Example
from potstill.models.prompts import Asking
from potstill.models.ready_templates import PLAIN, SOLVE
from potstill.models.sampling import Sampling
from potstill.pipeline.catalog import Catalog
from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import load_recipe, recipe_of
from potstill.pipeline.references import Reference, Samples, walk
from potstill.pipeline.stage import Context, Metrics, Stage

DOCS = Path(__file__).resolve().parents[2] / "docs" / "prompts.md"


class Ask(Asking, Stage):
    """A step with these fields that asks nobody."""

    kind: ClassVar[str] = "ask"

    prompts: Samples

    def run(self, context: Context) -> Metrics:
        raise NotImplementedError


ASKS = Catalog({**STAGES, "ask": Ask}, FILTERS)


def plan_of(**asking: Any) -> Plan:
    steps = {
        "problems": {"numbers": {"rows": 2}},
        "examples": {"numbers": {"rows": 9}},
        "others": {"numbers": {"rows": 8}},
        "asked": {"ask": {"prompts": "problems", **asking}},
    }
    return make_plan(recipe_of({"potstill": 1, "name": "toy", "steps": steps}, ASKS), Path("work"))


def test_the_text_of_a_named_template_is_in_the_config() -> None:
    config = Asking.model_validate({"prompt": "solve"}).model_dump(mode="json")
    assert config["prompt"]["text"] == SOLVE.text
    assert Asking.model_validate(config).prompt == SOLVE
    assert Asking().prompt == PLAIN


def test_the_schema_allows_a_name_and_a_template() -> None:
    schema = Asking.model_json_schema()["properties"]["prompt"]
    assert {"type": "string"} in schema["anyOf"]


def test_a_text_with_braces_is_a_template() -> None:
    asking = Asking.model_validate({"prompt": "Q: {{ question }}"})
    assert (asking.prompt.name, asking.prompt.text) == ("inline", "Q: {{ question }}")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": "slove"}, "did you mean 'solve'"),
        ({"prompt": "Just do it."}, "no template of this name"),
        ({"prompt": "Q: {question}"}, "write {{ question }}"),
        ({"prompt": "{{ quest }}"}, "did you mean 'question'"),
        ({"prompt": {"text": "{{ question }}", "by_language": {"zh": "x"}}}, "uses nothing"),
        ({"samples": 2, "sampling": {"temperature": 0}}, "2 equal samples"),
        (
            {"samples": 2, "by_task": {"code": {"temperature": 0}}},
            "2 equal samples of each problem of task 'code'",
        ),
        ({"samples": 0}, "greater than or equal to 1"),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"by_task": {"code": {"max_token": 5}}}, "by_task.code.max_token: no such field"),
        ({"by_task": {"code": {"max_token": 5}}}, "did you mean 'max_tokens'"),
        ({"by_task": {"code": {"max_tokens": 0}}}, "by_task.code.max_tokens is 0"),
        ({"by_task": {"code": {"min_tokens": 40_000}}}, "by_task.code is"),
        ({"few_shot": {"from": "x", "k": 0}}, "greater than or equal to 1"),
        ({"few_shot": {"from": "x", "pick": "best"}}, "'random' or 'similar_length'"),
        ({"few_shot": [{"question": "1?"}]}, "Field required"),
        ({"few_shot": {"from": "x"}, "prompt": "rewrite"}, "puts completion into the question"),
        (
            {"few_shot": {"from": "x"}, "prompt": "{{ question }} {{ verdicts.math.score }}"},
            "puts verdicts into the question",
        ),
        (
            {"few_shot": [{"question": "1?", "answer": "1"}], "prompt": "judge"},
            "example 1 of few_shot: the template 'judge' cannot be filled",
        ),
        (
            {"few_shot": [{"question": "1?", "answer": "1"}], "prompt": "{{ extra.level }}"},
            "there is no 'level'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        Asking.model_validate(given)


def test_an_example_may_bring_what_its_template_uses() -> None:
    example = {"question": "1?", "answer": "1", "completion": "one", "key": "1"}
    asking = Asking.model_validate({"few_shot": [example], "prompt": "judge"})
    assert asking.few_shot == (Example(question="1?", answer="1", completion="one", key="1"),)


def test_samplings_are_resolved_by_task() -> None:
    asking = Asking.model_validate(
        {"sampling": {"top_k": 20}, "by_task": {"code": {"max_tokens": 5}, "math": {"top_k": None}}}
    )
    assert asking.samplings() == {
        None: Sampling(top_k=20),
        "code": Sampling(top_k=20, max_tokens=5),
        "math": Sampling(),
    }


DRAWN = {"from": "examples", "k": 3}


def test_a_pool_is_an_edge_of_the_plan() -> None:
    assert plan_of().node("asked").inputs == ("problems",)
    node = plan_of(few_shot=DRAWN).node("asked")
    assert set(node.inputs) == {"problems", "examples"}
    assert node.identity["config"]["few_shot"]["k"] == 3
    assert node.identity["inputs"].keys() == {"problems", "examples"}
    asking = Asking.model_validate({"few_shot": DRAWN})
    assert asking.few_shot == Drawn(source="examples")
    marks = [(m.at, m.value) for m in walk(asking) if isinstance(m.mark, Reference)]
    assert marks == [(("few_shot", "source"), "examples")]


@pytest.mark.parametrize(
    ("asking", "renames"),
    [
        ({"few_shot": DRAWN}, False),
        ({"few_shot": {**DRAWN, "pick": "random", "seed": 0}}, False),
        ({"few_shot": {**DRAWN, "from": "others"}}, True),
        ({"few_shot": {**DRAWN, "k": 4}}, True),
        ({"few_shot": {**DRAWN, "seed": 1}}, True),
        ({"few_shot": {**DRAWN, "pick": "similar_length"}}, True),
        ({"few_shot": DRAWN, "prompt": "solve"}, True),
        ({"few_shot": DRAWN, "by_task": {"code": {"max_tokens": 5}}}, True),
    ],
)
def test_what_changes_the_address(asking: dict[str, Any], renames: bool) -> None:
    before = plan_of(few_shot=DRAWN).node("asked").address
    assert (plan_of(**asking).node("asked").address != before) == renames


def test_concurrency_is_not_identity() -> None:
    addresses = {plan_of(concurrency=n).node("asked").address for n in (1, 8)}
    assert len(addresses) == 1


def test_a_pool_that_is_no_step_is_told() -> None:
    with pytest.raises(RequestError, match="'exmples' is no step; did you mean 'examples'"):
        plan_of(few_shot={"from": "exmples"})


def snippets() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


def test_the_recipes_of_the_docs_can_be_planned(tmp_path: Path) -> None:
    """Each snippet is some steps of a recipe; the steps that they start from are added."""
    from potstill.catalog import CATALOG

    head = "potstill: 1\nname: docs\nfilters: {format: {}, math: {}}\nsteps:\n"
    start = (
        "  problems: {load: {source: word_problems, rows: 20}}\n"
        "  chat: {load: {source: word_problems, rows: 20, seed: 1}}\n"
        "  examples: {load: {source: word_problems, rows: 5, seed: 2}}\n"
        "  zero: {generate: {prompts: problems, teacher: &}}\n"
        "  checked: {judge: {samples: zero, filters: [format, math]}}\n"
    ).replace("&", "{engine: openai, base_url: 'http://127.0.0.1:1/v1', model: zero}")
    assert len(snippets()) >= 5
    for number, text in enumerate(snippets()):
        recipe = tmp_path / f"{number}.yaml"
        body = "".join(f"  {line}\n" for line in text.splitlines())
        recipe.write_text(head + start + body, "utf-8")
        assert make_plan(load_recipe(recipe, CATALOG), tmp_path / "work").nodes
