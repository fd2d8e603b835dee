"""Evaluation while training: scored by the project's filters, the same as afterwards, best kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from potstill.filters.format import Format
from potstill.filters.math import MathAnswer
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.progress import Event
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.stages.evaluate import Evaluate
from potstill.train.running.evaluation import best_step
from potstill.train.sft import Sft

SAMPLING = {"temperature": 0, "max_tokens": 48}


@pytest.fixture
def watched(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> Callable[..., tuple[Context, dict[str, Any]]]:
    """Train on the toy sums and look at eight of them now and then."""

    def train(
        name: str,
        events: list[Event] | None = None,
        rows: list[Sample] = toy,
        **fields: Any,
    ) -> tuple[Context, dict[str, Any]]:
        data = mixture(rows)
        made = context(data, students["qwen"], name, events)
        given = replace(
            made,
            inputs={"mixture": data, "heldout": data},
            filters={"math": MathAnswer(), "format": Format()},
        )
        evaluate = {
            "problems": "heldout",
            "correct": "math",
            "also": ["format"],
            "limit": 8,
            "sampling": SAMPLING,
            **fields.pop("evaluate", {}),
        }
        stage = sft(evaluate=evaluate, epochs=40, learning_rate=6e-3, warmup_share=0.1, **fields)
        return given, stage.run(given)

    return train


@pytest.mark.slow
def test_the_curve_rises_and_agrees_with_the_evaluate_step(
    watched: Callable[..., tuple[Context, dict[str, Any]]],
) -> None:
    events: list[Event] = []
    given, metrics = watched("out", events, evaluate={"every": 60})
    looks = [json.loads(line) for line in (given.out / "log" / "evaluations.jsonl").open()]
    assert [look["step"] for look in looks] == [0, 60, 120, 160]
    assert looks[0]["eval_pass@1"] == 0
    assert looks[0]["eval_rate/format"] == 0
    assert looks[-1]["eval_pass@1"] == 1
    assert looks[-1]["eval_rate/format"] == 1
    assert (metrics["kept_step"], metrics["before"], metrics["after"]) == (160, looks[0], looks[-1])
    assert any(event.get("facts", {}).get("phase") == "evaluate" for event in events)

    # The same numbers as the step that scores a finished model.
    out = given.out.with_name("score")
    out.mkdir()
    scored = replace(
        given,
        out=out,
        paths={"./trained": given.out},
        digests={"./trained": "0"},
    )
    step = Evaluate(
        model="./trained",
        problems="heldout",
        correct="math",
        also=("format",),
        samples=1,
        engine="transformers",
        sampling=SAMPLING,
    )
    found = step.run(scored)
    assert found["pass@1"] == 1


def test_looking_changes_nothing_and_the_best_is_kept(
    watched: Callable[..., tuple[Context, dict[str, Any]]],
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A student that was best half-way: its weights of that step are the result."""
    from potstill.train.running import callbacks

    told = iter([0.0, 0.5, 0.25, 0.25, 0.25])
    monkeypatch.setattr(callbacks, "summary", lambda *given: {"eval_pass@1": next(told)})
    given, metrics = watched("best", keep="best", max_steps=8, evaluate={"every": 2})
    assert metrics["kept_step"] == 2
    assert metrics["after"] == {"step": 2, "eval_pass@1": 0.5}

    plain = context(mixture(toy), students["qwen"], "plain")
    fields = {"epochs": 40, "learning_rate": 6e-3, "warmup_share": 0.1, "max_steps": 8}
    sft(**fields, checkpoint_every=2).run(plain)
    curves = [(each.out / "log" / "steps.jsonl").read_text() for each in (given, plain)]
    assert curves[0] == curves[1]
    weights = [(each.out / "model.safetensors").read_bytes() for each in (given, plain)]
    assert weights[0] != weights[1]  # of step 2, and of step 8


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], None),
        ([{"step": 0, "eval_pass@1": 0.9}], None),  # nothing was trained yet
        ([{"step": 2, "eval_pass@1": 0.1}, {"step": 4, "eval_pass@1": 0.3}], 4),
        ([{"step": 2, "eval_pass@1": 0.3}, {"step": 4, "eval_pass@1": 0.3}], 2),
        ([{"step": 2, "loss": 1.0}, {"step": 2, "eval_pass@1": 0.0}], 2),
    ],
)
def test_the_best_step(history: list[dict[str, Any]], expected: int | None) -> None:
    assert best_step(history) == expected


def test_what_cannot_be_judged_is_no_score(
    watched: Callable[..., tuple[Context, dict[str, Any]]], toy: list[Sample]
) -> None:
    """Problems without keys: no pass@1 of zero, by which the first weights would be the best."""
    events: list[Event] = []
    evaluate = {"every": 1, "limit": 2, "sampling": {"temperature": 0, "max_tokens": 4}}
    keyless = [replace(sample, answer=None) for sample in toy]
    given, metrics = watched("out", events, keyless, keep="best", max_steps=2, evaluate=evaluate)
    looks = [json.loads(line) for line in (given.out / "log" / "evaluations.jsonl").open()]
    assert [look["eval_unjudged"] for look in looks] == [2, 2, 2]
    assert not any("eval_pass@1" in look for look in looks)
    assert metrics["kept_step"] == 2
    notes = [event["text"] for event in events if event["event"] == "note"]
    assert sum("math could judge none of 2 completions (no_key 2)" in note for note in notes) == 3


def test_best_needs_a_measure(sft: Callable[..., Sft]) -> None:
    with pytest.raises(ValidationError, match="keep: best needs evaluate"):
        sft(keep="best")
