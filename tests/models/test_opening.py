"""Which engine answers, and what is refused before anything is spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench

from potstill.models import opening as openings
from potstill.models.opening import Opening
from potstill.models.sampling import Sampling
from potstill.models.teacher import EndpointTeacher, LocalTeacher
from potstill.pipeline.errors import RequestError
from potstill.pipeline.stage import Context

ENGINES = {
    "vllm": "potstill.models.vllm_teacher.open_vllm",
    "vllm-serve": "potstill.models.managed_server.open_served",
    "transformers": "potstill.models.transformers_teacher.open_transformers",
}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


@pytest.fixture
def context(bench: Workbench, tmp_path: Path) -> Context:
    return bench.context("traces", paths={"./t": tmp_path})


def installed(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(openings, "_is_installed", lambda module: module in modules)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """What was opened with which arguments, instead of real engines."""
    calls: list[tuple[str, tuple[Any, ...]]] = []

    def fake(name: str) -> Any:
        @contextmanager
        def open_it(*given: Any) -> Iterator[str]:
            calls.append((name, given))
            yield "a teacher"

        return open_it

    for name, place in ENGINES.items():
        monkeypatch.setattr(place, fake(name))
    monkeypatch.setattr("potstill.models.endpoint_teacher.open_endpoints", fake("openai"))
    return calls


@pytest.mark.parametrize(
    ("engine", "rest"), [("vllm", ({}, 7)), ("vllm-serve", ({}, 7)), ("transformers", ({},))]
)
def test_the_engine_of_the_recipe_is_opened(
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    tmp_path: Path,
    opened: list[Any],
    engine: Any,
    rest: tuple[Any, ...],
) -> None:
    installed(monkeypatch, "vllm", "transformers")
    config = LocalTeacher(model="./t", engine=engine)
    with Opening(config, context, (Sampling(),), {}, 7).open():
        pass
    ((name, given),) = opened
    assert name == engine
    assert given[: 2 + len(rest)] == (tmp_path, config, *rest)


def test_endpoints_are_opened_with_a_voice(context: Context, opened: list[Any]) -> None:
    config = EndpointTeacher(model="m", base_url="http://localhost:1")
    with Opening(config, context, (Sampling(),), {"a": 1}, None).open():
        pass
    ((name, given),) = opened
    assert (name, given[:3]) == ("openai", (config, {"a": 1}, None))


@pytest.mark.parametrize("engine", ["vllm", "vllm-serve"])
def test_without_vllm_the_step_says_so_and_uses_transformers(
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    bench: Workbench,
    opened: list[Any],
    engine: Any,
) -> None:
    installed(monkeypatch, "transformers")
    config = LocalTeacher(model="./t", engine=engine, engine_args={"max_num_seqs": 4})
    opening = Opening(config, context, (Sampling(),), {})
    opening.check()
    with opening.open():
        pass
    assert [name for name, _ in opened] == ["transformers"]
    assert ["vLLM is not installed" in note for note in bench.notes] == [True]


def test_without_any_engine_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    installed(monkeypatch)
    with pytest.raises(RequestError, match=r"pip install 'potstill\[vllm\]'"):
        Opening(LocalTeacher(model="./t"), context, (), {}).check()


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("changes", [{"reasoning_effort": "high"}, {"extra": {"provider": "fast"}}])
def test_fields_that_only_servers_know_are_refused(
    monkeypatch: pytest.MonkeyPatch, context: Context, engine: Any, changes: dict[str, Any]
) -> None:
    installed(monkeypatch, "vllm", "transformers")
    config = LocalTeacher(model="./t", engine=engine)
    samplings = (Sampling(), Sampling().with_changes(changes))
    with pytest.raises(RequestError, match=f"{next(iter(changes))}.*{engine}"):
        Opening(config, context, samplings, {}).check()
    Opening(config, context, (Sampling(stop=("x",), min_p=0.1),), {}).check()


@pytest.mark.parametrize(
    ("engine", "engine_args", "words"),
    [
        ("vllm", {"model": "x"}, "engine_args.model cannot be set"),
        ("vllm-serve", {"max_model_len": 10}, "context"),
        ("vllm", {"data_parallel_size": 2}, "vllm-serve"),
        ("transformers", {"max_num_seqs": 2}, "takes none"),
    ],
)
def test_engine_arguments_are_checked_without_the_engine(
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    engine: Any,
    engine_args: dict[str, Any],
    words: str,
) -> None:
    installed(monkeypatch, "vllm", "transformers")
    config = LocalTeacher(model="./t", engine=engine, engine_args=engine_args)
    with pytest.raises(RequestError, match=words):
        Opening(config, context, (), {}).check()


def test_several_engines_are_a_servers_business(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    installed(monkeypatch, "vllm", "transformers")
    config = LocalTeacher(model="./t", engine="vllm-serve", engine_args={"data_parallel_size": 2})
    Opening(config, context, (), {}).check()


def test_a_missing_key_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    monkeypatch.delenv("POTSTILL_TEST_KEY", raising=False)
    servers = [
        {"base_url": "http://a:1"},
        {"base_url": "http://b:1", "api_key_env": "POTSTILL_TEST_KEY"},
    ]
    config = EndpointTeacher.model_validate({"model": "m", "endpoints": servers})
    opening = Opening(config, context, (), {})
    with pytest.raises(RequestError, match="POTSTILL_TEST_KEY"):
        opening.check()
    monkeypatch.setenv("POTSTILL_TEST_KEY", "k")
    opening.check()


@pytest.mark.skipif(find_spec("vllm") is None, reason="needs vllm")
def test_checking_imports_no_engine(context: Context, tmp_path: Path) -> None:
    """A plan must be quick: importing vLLM takes ten seconds."""
    import subprocess
    import sys

    script = (
        "import sys\n"
        "from potstill.models import engine_args, transformers_teacher, vllm_teacher\n"
        "assert vllm_teacher.SUPPORTED and transformers_teacher.SUPPORTED\n"
        "heavy = {'torch', 'vllm', 'transformers'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
