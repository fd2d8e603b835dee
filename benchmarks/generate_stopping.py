"""Stopping at k accepted samples against the best possible and against a fixed n, simulated.

The real loop (demand, journal, judge) buys from a simulated teacher that holds 64 requests, answers
them in a random order, and solves each problem with a chance of its own. The optimum knows nothing
of the future either: it draws one sample at a time and stops at the k-th success, which no plan can
undercut. A fixed n has the same coverage (problems with k accepted samples) only with the same most
samples; at most k accepted samples of a problem count for it, as they do for stopping.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potstill.models.buying import Buying
from potstill.models.failures import Failures
from potstill.models.journal import open_journal
from potstill.models.meter import Meter
from potstill.models.order import Order, Tier
from potstill.models.prompts import Asking
from potstill.models.questions import Questions
from potstill.models.quota import prefix_length
from potstill.models.request import Completion, Keys, Outcome, Request, TeacherIdentity
from potstill.pipeline.budget import Budget
from potstill.pipeline.filter import JudgeContext, RowFilter
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.verdict import Verdict
from potstill.stages.panel import open_panel

QUOTA, MOST, CAPACITY = 2, 8, 64


class Solved(RowFilter):
    """Whether the simulated completion says that it is right."""

    kind = "solved"
    reasons = frozenset({"right", "wrong"})

    def judge_one(self, sample: Sample) -> Verdict:
        right = (sample.completion or "").endswith("right")
        return Verdict(float(right), "right" if right else "wrong")


def outcome_of(request: Request, chances: Mapping[str, float]) -> tuple[bool, int]:
    """Whether this sample is right and how many tokens it has: a function of the request."""
    seed = int(hashlib.sha256(request.key.encode()).hexdigest()[:12], 16)
    draw = random.Random(seed)
    right = draw.random() < chances[request.messages[0].content]
    return right, round(draw.lognormvariate(6.0, 0.5))


class Simulated:
    """A teacher that answers what it holds in a random order."""

    discarded = withheld = 0

    def __init__(self, chances: Mapping[str, float]) -> None:
        self._chances = chances
        self._flying: list[Request] = []
        self._random = random.Random(7)
        self.tokens = self.asked = 0

    @contextmanager
    def open(self) -> Iterator[Simulated]:
        yield self

    @property
    def room(self) -> int:
        return CAPACITY - len(self._flying)

    def submit(self, request: Request) -> None:
        self.asked += 1
        self._flying.append(request)

    def poll(self, seconds: float) -> list[Outcome]:
        if not self._flying:
            return []
        request = self._flying.pop(self._random.randrange(len(self._flying)))
        right, tokens = outcome_of(request, self._chances)
        self.tokens += tokens
        text = "right" if right else "wrong"
        return [Completion(request.key, text, "stop", 0, tokens, "simulated", "{}")]

    def wake(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Result:
    """Tokens for each accepted trace (at most k of a problem count)."""

    name: str
    potstill: float
    optimum: float
    fixed_n: float
    coverage: float

    def facts(self) -> dict[str, Any]:
        return {
            "teacher": self.name,
            "coverage": self.coverage,
            "over_optimum": self.potstill / self.optimum,
            "fixed_n_over_potstill": self.fixed_n / self.potstill,
        }


def measure(name: str, problems: int, chance: Callable[[random.Random], float]) -> Result:
    """Run the loop and both comparisons on the same outcomes."""
    draw = random.Random(3)
    turns = ((Message("user", f"{name} {each}"),) for each in range(problems))
    rows = [new_sample(each, answer="x") for each in turns]
    chances = {row.question: chance(draw) for row in rows}
    asking = Asking.model_validate({"sampling": {"max_tokens": 4000}})
    identity = TeacherIdentity("simulated", "", {"model": name})
    keys = Keys(identity, asking.sampling, {}, {})
    tiers = (Tier(identity, keys, MOST),)
    order = Order(lambda: ((r, {}) for r in rows), problems, Questions(asking), tiers, QUOTA)
    teacher = Simulated(chances)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_journal(Path(folder) / "journal.sqlite") as journal,
        open_panel({"solved": Solved()}, {"solved": 1.0}, JudgeContext(), journal) as panel,
    ):
        meter = Meter(Budget(), None, problems, 4000)
        Buying(order, 0, journal, "bench/traces", panel, meter, Failures(1.0)).run(teacher.open)
    accepted = optimum = everything = covered = 0
    for attempts in order.attempts():
        outcomes = [outcome_of(attempt.request, chances) for attempt in attempts]
        prefix = outcomes[: prefix_length((right for right, _ in outcomes), QUOTA)]
        good = sum(right for right, _ in prefix)
        accepted += good
        covered += good == QUOTA
        optimum += sum(tokens for _, tokens in prefix)
        everything += sum(tokens for _, tokens in outcomes)
    return Result(
        name, teacher.tokens / accepted, optimum / accepted, everything / accepted,
        covered / problems,
    )  # fmt: skip


def measure_all(problems: int = 1000) -> list[Result]:
    """A weak, a middling and a strong teacher, and one whose problems differ widely."""
    results = [
        measure(f"p = {p}", problems, lambda draw, p=p: p)  # type: ignore[misc]
        for p in (0.2, 0.55, 0.9)
    ]
    mixed = measure("p ~ Beta(1, 1)", problems, lambda draw: draw.random())
    return [*results, mixed]


if __name__ == "__main__":
    for result in measure_all():
        print(result.facts())
