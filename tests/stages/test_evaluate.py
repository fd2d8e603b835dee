"""`evaluate`: its metrics on completions whose scores are known, and with the real engine."""

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_bench import ModelBench, make_tiny_model
from scripted_teacher import ScriptedTeacher
from toys import InProcess
from workbench import aside, problem

from potstill.filters import FILTERS
from potstill.models.opening import Opening
from potstill.models.quota import standard_error
from potstill.models.request import Completion, Request
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.references import Execution, Reference, UsesFilter, walk
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.stages.evaluate import Evaluate


class AsSaid(InProcess):
    """The score that stands in the completion."""

    kind: ClassVar[str] = "as_said"
    reasons: ClassVar[frozenset[str]] = frozenset({"said"})

    def judge_one(self, sample: Sample) -> Verdict:
        said = (sample.completion or "").rpartition(" ")[2]
        return Verdict(None if said == "none" else float(said), "said")


def script() -> ScriptedTeacher:
    """Says for each problem what its question lists: "1 0 none fail" for samples 0 to 3."""

    def said(request: Request) -> str:
        return request.messages[-1].content.split()[request.index]

    return ScriptedTeacher(
        act=lambda request: "prompt_too_long" if said(request) == "fail" else None,
        answer=lambda request: Completion(
            request.key, f"score {said(request)}", "stop", 3, 4, "m", "{}"
        ),
    )


@pytest.fixture
def bench(tmp_path: Path) -> ModelBench:
    return ModelBench(tmp_path / "run")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Enough of a model folder to have a digest."""
    made = tmp_path / "student"
    made.mkdir()
    (made / "config.json").write_text("{}")
    return made


def evaluate(
    bench: ModelBench,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    questions: list[str],
    **more: Any,
) -> Artifact:
    monkeypatch.setattr(Opening, "open", lambda opening: script().open())
    heldout = bench.samples("heldout", [problem(question) for question in questions])
    given_stage = {"model": "./student", "problems": "heldout", "correct": "said", **more}
    return bench.run(
        "score",
        Evaluate.model_validate(given_stage),
        inputs={"heldout": heldout},
        filters={"said": AsSaid()},
        paths={"./student": folder},
    )


CASES = [
    (["1 1 1 1"], {"pass@1": 1.0, "pass@1_se": None, "unjudged": 0, "rate/said": 1.0}),
    (["1 1 0 0", "0 0 0 0"], {"pass@1": 0.25, "pass@1_se": 0.25, "unjudged": 0}),
    (["1 1 1 1", "1 1 1 1"], {"pass@1": 1.0, "pass@1_se": 0.0}),
    (["1 none none 0", "1 1 1 1"], {"pass@1": 0.625, "unjudged": 2, "rate/said": 5 / 6}),
    (["none none none none"], {"pass@1": 0.0, "unjudged": 4, "rate/said": None}),
    (["0.5 0.5 1 1"], {"pass@1": 0.5, "rate/said": 0.75}),
    (["1 fail 1 fail"], {"pass@1": 0.5, "rate/said": 1.0, "failed": {"prompt_too_long": 2}}),
    ([], {"pass@1": None, "pass@1_se": None, "n_problems": 0, "n_samples": 0}),
]


@pytest.mark.parametrize(("questions", "expected"), CASES)
def test_metrics(
    bench: ModelBench,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    questions: list[str],
    expected: dict[str, Any],
) -> None:
    made = evaluate(bench, folder, monkeypatch, questions)
    found = {name: made.metrics[name] for name in expected}
    assert found == expected
    assert made.metrics["n_problems"] == len(questions)
    assert made.metrics["n_samples"] == 4 * len(questions) == made.metrics["attempts"]
    assert made.metrics["rows"] + len(aside(made, "failed")) == made.metrics["attempts"]


def test_the_samples_and_their_verdicts_can_be_looked_at(
    bench: ModelBench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = evaluate(bench, folder, monkeypatch, ["1 0 none fail", "1 1 1 1"])
    assert made.rows == 7
    scores = [row["score"] for row in made.verdict_table("said").to_pylist()]
    assert scores == [1.0, 0.0, None, 1.0, 1.0, 1.0, 1.0]
    assert made.metrics["mean_completion_tokens"] == 4.0
    assert "accepted" not in made.metrics
    (failed,) = aside(made, "failed")
    assert (failed["index"], failed["reason"]) == (3, "prompt_too_long")


def test_a_model_that_answers_nothing_is_a_failed_step(
    bench: ModelBench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StepFailed, match="that is all of them"):
        evaluate(bench, folder, monkeypatch, ["fail fail fail fail"])


def test_what_is_bought_once_is_scored_again_for_nothing(
    bench: ModelBench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(bench, folder, monkeypatch, ["1 0 0 0"])
    monkeypatch.setattr(ScriptedTeacher, "submit", None)  # nothing may be asked
    again = evaluate(bench, folder, monkeypatch, ["1 0 0 0"], engine="transformers")
    assert (again.digest, again.metrics) == (first.digest, first.metrics)


def test_marks_for_the_plan() -> None:
    given_stage = {"model": "qwen", "problems": "p", "correct": "math", "also": ["format"]}
    marks = {(m.at[0], type(m.mark)) for m in walk(Evaluate.model_validate(given_stage))}
    assert marks == {
        ("model", Reference),
        ("problems", Reference),
        ("correct", UsesFilter),
        ("also", UsesFilter),
        ("engine", Execution),
        ("engine_args", Execution),
        ("concurrency", Execution),
    }
    assert Evaluate.makes == "evaluation"


@given(st.lists(st.integers(0, 4), min_size=2, max_size=50))
def test_the_standard_error_is_that_of_the_problems_mean(solved: list[int]) -> None:
    shares = [count / 4 for count in solved]
    mean = sum(shares) / len(shares)
    variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    assert standard_error(shares) == pytest.approx(math.sqrt(variance / len(shares)))
    assert standard_error([*shares, *shares]) <= standard_error(shares) + 1e-12  # type: ignore


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_real_model_with_real_filters(bench: ModelBench, tmp_path: Path, engine: str) -> None:
    """Of gibberish nothing is right, and that is known: 0.0, not None."""
    if find_spec(engine) is None:
        pytest.skip(f"needs {engine}")
    heldout = bench.samples(
        "heldout", [problem(f"{n} + 1?", answer=str(n + 1), task="math") for n in range(6)]
    )
    stage = Evaluate.model_validate(
        {
            "model": "./tiny",
            "problems": "heldout",
            "samples": 2,
            "correct": "math",
            "also": ["format"],
            "engine": engine,
            "sampling": {"max_tokens": 16},
        }
    )
    made = bench.run(
        "score",
        stage,
        inputs={"heldout": heldout},
        filters={name: FILTERS[name]() for name in ("math", "format")},
        paths={"./tiny": make_tiny_model(tmp_path / "tiny")},
    )
    metrics = made.metrics
    assert (metrics["pass@1"], metrics["unjudged"]) == (0.0, 0)
    assert (metrics["n_problems"], metrics["n_samples"]) == (6, 12)
    assert metrics["rate/format"] == 0.0
    assert metrics["numerics"][0]["engine"] == engine
