"""A quick grpo of the tiny student on the toy sums, with filters that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from toys import InProcess

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.filter import Filter
from potstill.pipeline.progress import Event
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.pipeline.verdict import Verdict
from potstill.train.grpo import Grpo
from potstill.train.running.bench import Bench
from potstill.train.running.numerics import choose_numerics
from potstill.train.students.student import open_student


class SaysOne(InProcess):
    """A trivial task: write the digit 1 somewhere. Random weights do so now and then."""

    kind: ClassVar[str] = "says_one"
    reasons: ClassVar[frozenset[str]] = frozenset({"said", "silent"})

    def judge_one(self, sample: Sample) -> Verdict:
        said = "1" in (sample.completion or "")
        return Verdict(float(said), "said" if said else "silent", {"at": 0})


@pytest.fixture
def says_one() -> SaysOne:
    return SaysOne()


QUICK: dict[str, Any] = {
    "data": "mixture",
    "model": "./student",
    "rewards": {"one": 1},
    "completions": 4,
    "batch_size": 16,
    "max_tokens": 8,
    "learning_rate": 3e-3,
    "max_steps": 3,
    "checkpoint_every": 100,
}


@dataclass
class Trained:
    """A finished training."""

    out: Path
    metrics: dict[str, Any]

    @property
    def log(self) -> list[dict[str, Any]]:
        text = (self.out / "log" / "steps.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def grpo() -> Callable[..., Grpo]:
    def build(**fields: Any) -> Grpo:
        return Grpo.model_validate({**QUICK, **fields})

    return build


@pytest.fixture
def asked(
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> Callable[..., Context]:
    """The context of a training on the toy sums, or on other samples."""

    def make(
        name: str = "rl-00000000",
        samples: Sequence[Sample] | None = None,
        filters: Mapping[str, Filter] | None = None,
        student: Path | None = None,
        events: list[Event] | None = None,
    ) -> Context:
        data = mixture(toy if samples is None else samples)
        made = context(data, student or students["qwen"], name, events)
        return replace(made, step="r/rl", filters=filters or {"one": SaysOne()})

    return make


@pytest.fixture
def train(grpo: Callable[..., Grpo], asked: Callable[..., Context]) -> Callable[..., Trained]:
    """Train to the end."""

    def run(
        name: str = "rl-00000000",
        samples: Sequence[Sample] | None = None,
        filters: Mapping[str, Filter] | None = None,
        student: Path | None = None,
        **fields: Any,
    ) -> Trained:
        given = asked(name, samples, filters, student)
        return Trained(given.out, grpo(**fields).run(given))

    return run


@pytest.fixture
def bench(
    asked: Callable[..., Context], grpo: Callable[..., Grpo]
) -> Callable[..., tuple[Grpo, Bench]]:
    """What one process is given, without training: for a look at what trl makes of a batch."""

    def make(context: Context | None = None, **fields: Any) -> tuple[Grpo, Bench]:
        given = context or asked()
        stage = grpo(**fields)
        student = open_student(given.path(stage.model), stage.model)
        table = stage.prepare(given, student).table
        numerics = choose_numerics(stage, 1, 1)
        folder = given.state / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        return stage, Bench(stage, given, student, numerics, table, folder, main=True)

    return make
