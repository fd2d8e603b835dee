"""The sampling loop: what is wanted, less what the journal holds, is asked of a teacher.

    wanted   = problems x n, as requests with content keys     (Order)
    missing  = wanted - journal                                (distinct: equal requests share one)
    teacher  → journal, commit, count                          (buy)
    rows     = wanted, in order, as the journal answers them   (answered)

Two rows with equal messages share one paid completion: the key is the same, so nothing is bought
twice, and each row still becomes a sample with its own answer key. The teacher is opened only if
something is missing. Rows come in the order of problems and indices whatever order they were
bought in, so a dataset is a function of journal and config.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from ..pipeline.errors import StepFailed
from ..pipeline.progress import Progress
from ..pipeline.sample import Generation, Sample
from .journal import Journal, JournalWriter
from .prompts import Asking
from .request import Completion, Failure, Keys, Request, Teacher, TeacherIdentity

_CHUNK: Final = 500
_UPDATE_S: Final = 0.2
"""Seconds between progress events."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sample wanted for one row of the problems."""

    position: int
    """Which row of the problems, from 0."""
    problem: Sample
    request: Request


@dataclass(frozen=True)
class Order:
    """Everything that one step wants of one teacher, in order."""

    problems: Callable[[], Iterable[Sample]]
    """Called for each pass over the rows."""
    asking: Asking
    teacher: TeacherIdentity

    def attempts(self) -> Iterator[Attempt]:
        """n for each problem. Sampling on demand (`until`) will ask for fewer of these."""
        keys = Keys(self.teacher, self.asking.sampling, self.asking.chat_template_kwargs)
        for position, problem in enumerate(self.problems()):
            messages = self.asking.messages(problem)
            for request in keys.requests(problem.prompt_id, messages, self.asking.samples):
                yield Attempt(position, problem, request)

    def sample(self, attempt: Attempt, done: Completion, prefill: str = "") -> Sample:
        """The row that a completion makes, without its id.

        Args:
            prefill: what an endpoint's template is known to write of each answer.
        """
        if prefill and not done.prefill and done.reasoning is None:
            done = replace(done, prefill=prefill)
        generation = Generation(
            teacher=self.teacher.name,
            revision=self.teacher.revision,
            key=done.key,
            index=attempt.request.index,
            seed=attempt.request.seed,
            finish_reason=done.finish_reason,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
            prefilled_think=bool(done.prefill),
        )
        text = done.whole_text
        return replace(attempt.problem, id="", completion=text, generation=generation)


@dataclass
class Watch:
    """What is told while completions arrive; the base listens to nothing."""

    progress: Progress = field(default_factory=Progress)
    on_completion: Callable[[Attempt, Completion], None] = lambda attempt, done: None
    """Called for every attempt that a bought completion answers."""
    facts: Callable[[], Mapping[str, Any]] = dict
    """More to show beside the progress bar."""


def buy(
    order: Order,
    journal: Journal,
    step: str,
    open_teacher: Callable[[], AbstractContextManager[Teacher]],
    watch: Watch,
    max_failed: float,
) -> dict[str, Failure]:
    """Ask for what the journal lacks; returns what failed for good, by key.

    Args:
        step: label of what is bought, `recipe/step`.
        max_failed: share of the distinct requests that may fail.

    Raises:
        StepFailed: more failed than that, or all. What was bought stays in the journal.
    """
    total, missing = _missing(order.attempts(), journal)
    purchase = _Purchase(total, total - len(missing), max_failed, watch)
    purchase.tell()
    if not missing:
        return {}
    requests = [attempts[0].request for attempts in missing.values()]
    with open_teacher() as teacher, journal.writer(step) as writer:
        purchase.start(writer)
        for outcome in teacher.sample(requests):
            attempts = missing.pop(outcome.key)
            if isinstance(outcome, Failure):
                purchase.fail(outcome)
            else:
                writer.put(attempts[0].request, outcome)
                purchase.take(attempts, outcome)
    if missing:
        raise StepFailed(f"the teacher left {len(missing)} requests without an outcome")
    purchase.tell()
    purchase.check_all_failed()
    return purchase.failures


def answered(order: Order, journal: Journal) -> Iterator[tuple[Attempt, Completion | None]]:
    """Every attempt in order with its completion; None where there is none."""
    attempts = order.attempts()
    while chunk := list(islice(attempts, _CHUNK)):
        found = journal.read(attempt.request.key for attempt in chunk)
        for attempt in chunk:
            yield attempt, found.get(attempt.request.key)


def bill(order: Order, journal: Journal, step: str) -> str | None:
    """What a run would buy again under new keys, as a sentence; None if it only adds."""
    bought = journal.bought_for(step)
    again: dict[tuple[str, int], int] = {}
    for attempt, done in answered(order, journal) if bought else ():
        place = (attempt.request.prompt_id, attempt.request.index)
        if done is None and place in bought:
            again[place] = bought[place]
    if not again:
        return None
    return (
        f"{len(again):,} of the {len(bought):,} completions bought for it "
        f"({sum(again.values()):,} tokens) would be bought again, because what is asked of the "
        "teacher is no longer the same."
    )


def _missing(attempts: Iterable[Attempt], journal: Journal) -> tuple[int, dict[str, list[Attempt]]]:
    """The number of distinct requests, and the attempts behind each that has no completion."""
    seen: set[str] = set()
    missing: dict[str, list[Attempt]] = {}
    iterator = iter(attempts)
    while chunk := list(islice(iterator, _CHUNK)):
        known = journal.known(attempt.request.key for attempt in chunk)
        seen.update(attempt.request.key for attempt in chunk)
        for attempt in chunk:
            if attempt.request.key not in known:
                missing.setdefault(attempt.request.key, []).append(attempt)
    return len(seen), missing


class _Purchase:
    """Counts one run of the loop, tells of it, and stops it when too much fails."""

    def __init__(self, total: int, had: int, max_failed: float, watch: Watch) -> None:
        self.failures: dict[str, Failure] = {}
        self._total = total
        self._had = had
        self._max_failed = max_failed
        self._watch = watch
        self._writer: JournalWriter | None = None
        self._started = self._told = 0.0

    def start(self, writer: JournalWriter) -> None:
        """The teacher is open: time and tokens count from here."""
        self._writer = writer
        self._started = time.monotonic()

    def take(self, attempts: Sequence[Attempt], done: Completion) -> None:
        for attempt in attempts:
            self._watch.on_completion(attempt, done)
        self._tell_now_and_then()

    def fail(self, failure: Failure) -> None:
        self.failures[failure.key] = failure
        if len(self.failures) > self._max_failed * self._total:
            raise StepFailed(
                f"{self._so_far()}, more than max_failed {self._max_failed:g} of "
                f"{self._total:,}. {self._advice()}"
            )
        self._tell_now_and_then()

    def check_all_failed(self) -> None:
        if len(self.failures) == self._total:
            raise StepFailed(f"{self._so_far()}: that is all of them. {self._advice()}")

    def tell(self) -> None:
        """A progress event; counts only what is durable."""
        self._told = time.monotonic()
        committed, tokens = (
            (self._writer.committed, self._writer.tokens) if self._writer else (0, 0)
        )
        facts: dict[str, Any] = {"tokens": tokens} if tokens else {}
        if tokens:
            facts["tokens/s"] = round(tokens / max(self._told - self._started, 1e-3))
        if self.failures:
            facts["failed"] = len(self.failures)
        done = self._had + committed + len(self.failures)
        self._watch.progress.update(done, self._total, **facts, **self._watch.facts())

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told >= _UPDATE_S:
            self.tell()

    def _so_far(self) -> str:
        reasons = Counter(failure.reason for failure in self.failures.values())
        told = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        return f"{len(self.failures):,} requests failed for good ({told})"

    def _advice(self) -> str:
        first = next(iter(self.failures.values()))
        return (
            f"The first said: {first.detail}. What was bought is in the journal and is not "
            "bought again: the same command goes on and asks only for the rest. To leave such "
            "rows out, raise max_failed."
        )
