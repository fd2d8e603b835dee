"""The sampling loop: what is wanted, less what the journal holds, is asked of a teacher.

    demand  → teacher → journal, commit, count
                      → judge (beside) → demand

`Demand` says what is wanted next, the teacher takes it while there is room, an answer goes to the
journal and to the judge, and a verdict may end a problem or ask for one more sample. A place at the
teacher is free again only when the answer that held it is written: so at most as many paid answers
as fit in flight can be lost at kill -9. It counts when it is synced to the disk. The teacher is
opened only if something is missing.

The loop stops by itself at a cap of the budget and when it is asked to: nothing new is asked, what
is in flight comes home. Which rows belong to the dataset is decided afterwards, from the journal.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..pipeline.budget import Spent
from ..pipeline.collector import rare_collections
from ..pipeline.errors import StoppedOnPurpose
from ..pipeline.progress import Progress
from ..pipeline.sample import Sample
from ..pipeline.stopping import StopSignal
from .demand import Demand, Pursuit, State
from .failures import Failures
from .journal import Journal
from .journal_writer import Durable, JournalWriter
from .meter import Meter, dollars
from .order import Attempt, Order, chunked
from .request import Completion, Failure, Outcome, Request, Teacher

_POLL_S: Final = 0.5
_UPDATE_S: Final = 0.2
"""Seconds between progress events."""
_READY: Final = 64
"""Requests made ahead, so that a place that gets free is taken at once."""
_BACKLOG: Final = 2048
"""Completions that wait for the judge, from which on nothing is bought: memory is bounded."""


class Acceptance(Protocol):
    """Judges completions beside the loop, in a thread of its own."""

    @property
    def backlog(self) -> int:
        """Completions not judged yet, and verdicts not taken."""
        ...

    @property
    def is_asked(self) -> bool:
        """Whether completions are to be judged at all."""
        ...

    def recall(self, sample: Sample) -> bool | None:
        """What was recorded of a sample before: accepted or not; None if it was not judged."""
        ...

    def submit(self, attempt: Attempt, sample: Sample) -> None:
        """Begin judging; verdicts are recorded in the journal."""
        ...

    def results(self) -> list[tuple[Attempt, bool]]:
        """Whether each completion judged since the last call is accepted."""
        ...

    def start(self, writer: JournalWriter, wake: Callable[[], None]) -> None:
        """Verdicts may be recorded from now on; `wake` is called when there are results."""
        ...

    def stop(self) -> None:
        """End the thread; no verdict is recorded afterwards."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What the progress shows: share of accepted completions …"""
        ...


@dataclass
class Buying:
    """One run of the loop, for one tier."""

    order: Order
    tier: int
    journal: Journal
    step: str
    """Label of what is bought, `recipe/step`."""
    acceptance: Acceptance
    meter: Meter
    failures: Failures
    progress: Progress = field(default_factory=Progress)
    stop: StopSignal = field(default_factory=StopSignal)
    before: Spent = field(default_factory=Spent)
    """What earlier tiers of this step spent in this run."""

    def __post_init__(self) -> None:
        problems = self.order.attempts(self.tier + 1)
        if self.order.quota is None:
            problems = self._looked_up(problems)
        self._demand = Demand(problems, self.order.quota, self._look, self._problem_done)
        self._flying: dict[str, Request] = {}
        self._fresh: dict[str, Completion] = {}
        self._order_of_fresh: deque[str] = deque()
        self._known: set[str] = set()
        self._ready: deque[Request] = deque()
        self._settled = self._of_done_problems = self._answers = 0
        self._durable = Durable()
        """What the meter counts. The writer may be ahead: an answer that were neither outstanding
        nor counted would leave room for one more than the budget has."""
        self._news = threading.Event()
        self._teacher: Teacher | None = None
        self._discarded_before = 0
        """By a teacher that was open already."""
        self._told = 0.0
        self._broken: Exception | None = None

    def run(self, open_teacher: Callable[[], AbstractContextManager[Teacher]]) -> Spent:
        """Buy what is missing; returns what was spent.

        Raises:
            StepFailed: too much failed for good. What was bought stays in the journal.
            StoppedOnPurpose: a cap was reached, or a stop was asked for.
        """
        with self.journal.writer(self.step) as writer:
            self._writer = writer
            writer.on_commit = self._wake
            self.acceptance.start(writer, self._wake)
            try:
                self._tell()
                request = self._first_missing()
                if request is not None:
                    with open_teacher() as teacher:
                        self._serve(teacher, request)
            finally:
                self.acceptance.stop()
        self._prune()
        self._tell()
        self.failures.check_all(self._settled)
        return self.meter.spent

    def _first_missing(self) -> Request | None:
        """Go through what is known; the first request that is not, None if all is there."""
        while (request := self._demand.next()) is None:
            self._take_verdicts()
            if self._demand.is_finished and self.acceptance.backlog == 0:
                return None
            self._news.wait(_POLL_S)
            self._news.clear()
            self._tell_now_and_then()
        return request

    def _serve(self, teacher: Teacher, request: Request | None) -> None:
        self._teacher = teacher
        self._discarded_before = teacher.discarded
        self.meter.started = time.monotonic()
        with rare_collections(), self.stop.deferred():
            try:
                while True:
                    self._unless_broken(self._take_verdicts)
                    if self._is_ending:
                        teacher.drain()
                    else:
                        request = self._submit(teacher, request)
                    if not self._outstanding and self._is_over(request):
                        break
                    self._get_ready()
                    teacher.withheld = len(self._fresh)
                    self._take(teacher.poll(_POLL_S))
                    self._prune()
                    self._tell_now_and_then()
            finally:
                self._teacher = None
        self._prune()
        self._tell()
        if self._broken is not None:
            raise self._broken
        self._say_if_stopped(request)

    @property
    def _is_ending(self) -> bool:
        """Nothing new is asked; what is in flight was paid for and comes home."""
        return self.stop.requested or self._broken is not None

    def _unless_broken(self, act: Callable[[], None]) -> None:
        """Do it; what it raises (a broken filter, too many failures) ends the loop in order."""
        if self._broken is None:
            try:
                act()
            except Exception as error:
                self._broken = error

    def _submit(self, teacher: Teacher, request: Request | None) -> Request | None:
        """Fill the teacher; returns a request that has to wait for the budget, if there is one."""
        room = teacher.room - len(self._fresh)
        while room > 0 and self.acceptance.backlog < _BACKLOG:
            request = request or self._next()
            if request is None or self.meter.cap(self._outstanding) is not None:
                break
            self._flying[request.key] = request
            teacher.submit(request)
            room -= 1
            request = None
        return request

    def _next(self) -> Request | None:
        return self._ready.popleft() if self._ready else self._demand.next()

    def _get_ready(self) -> None:
        """While answers are awaited anyway: make the requests that come next."""
        while len(self._ready) < min(_READY, len(self._flying)):
            request = self._demand.next()
            if request is None:
                return
            self._ready.append(request)

    @property
    def _outstanding(self) -> int:
        """Requests whose answers are not counted as durable yet."""
        return len(self._flying) + self._answers - self._durable.completions

    def _is_over(self, request: Request | None) -> bool:
        """With nothing outstanding: whether there is nothing more to do, or it may not be done."""
        if self._is_ending:
            return True
        if request is not None:
            return self.meter.cap() is not None
        return not self._ready and self._demand.is_finished and self.acceptance.backlog == 0

    def _looked_up(self, problems: Iterator[Iterator[Attempt]]) -> Iterator[Iterator[Attempt]]:
        """The same problems, their keys looked up in bulk; without a quota all are wanted."""
        for chunk in chunked(problems):
            keys = [attempt.request.key for attempts in chunk for attempt in attempts]
            self._known = self.journal.known(keys) | self._fresh.keys()
            yield from map(iter, chunk)

    def _look(self, attempt: Attempt) -> State:
        """What journal and verdicts know of an attempt."""
        key = attempt.request.key
        if key in self.failures:
            return State.REJECTED
        if self.order.quota is None:
            known = key in self._known
            self._settled += known
            return State.REJECTED if known else State.MISSING
        done = self._fresh.get(key) or self.journal.read([key]).get(key)
        if done is None:
            assert attempt.request.tier == self.tier, "an earlier tier left an attempt open"
            return State.MISSING
        self._settled += 1
        sample = self.order.sample(attempt, done)
        accepted = self.acceptance.recall(sample)
        if accepted is None:
            self.acceptance.submit(attempt, sample)
            return State.PENDING
        return State.ACCEPTED if accepted else State.REJECTED

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        """Completions go to the journal first: while they are committed the rest is done."""
        asked = [self._flying.pop(outcome.key) for outcome in outcomes]
        bought = [
            (request, outcome)
            for request, outcome in zip(asked, outcomes, strict=True)
            if isinstance(outcome, Completion)
        ]
        if bought:
            self._writer.put_all(bought)
        for outcome in outcomes:
            if isinstance(outcome, Completion):
                self._keep(outcome)
            elif isinstance(outcome, Failure):
                self.failures.add(outcome)
                self._settled += len(self._demand.failed(outcome.key))
                self._unless_broken(self._check_failures)

    def _keep(self, done: Completion) -> None:
        self._fresh[done.key] = done
        if self.order.quota is None:
            self._known.add(done.key)
        self._order_of_fresh.append(done.key)
        self._answers += 1
        for attempt in self._demand.bought(done.key, self.meter.answered(done)):
            self._settled += 1
            if self.acceptance.is_asked:
                self.acceptance.submit(attempt, self.order.sample(attempt, done))
            if self.order.quota is None:
                self._demand.judged(attempt, accepted=False)

    def _take_verdicts(self) -> None:
        for attempt, accepted in self.acceptance.results():
            if self.order.quota is not None:
                self._demand.judged(attempt, accepted)

    def _prune(self) -> None:
        """What kill -9 cannot lose frees its place at the teacher; what is durable counts."""
        self._writer.check()
        written = self._writer.written - self._answers + len(self._fresh)
        for _ in range(written):
            del self._fresh[self._order_of_fresh.popleft()]
        self._durable = self._writer.durable
        self.meter.prompt_tokens = self._durable.prompt_tokens
        self.meter.completion_tokens = self._durable.completion_tokens
        discarded = self._teacher.discarded - self._discarded_before if self._teacher else 0
        self.meter.requests = max(self.meter.requests, self._durable.completions + discarded)

    def _problem_done(self, pursuit: Pursuit) -> None:
        self.meter.problem_done(pursuit)
        self._of_done_problems += pursuit.taken

    def _wake(self) -> None:
        """From the threads of the journal and the judge."""
        self._news.set()
        teacher = self._teacher
        if teacher is not None:
            teacher.wake()

    def _check_failures(self) -> None:
        most = self.order.num_rows * self.order.most_samples
        self.failures.check(most, self._settled > len(self.failures))

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told >= _UPDATE_S:
            self._tell()

    def _tell(self) -> None:
        """A progress event; counts only what is durable."""
        self._told = time.monotonic()
        facts = {**self.meter.facts(), **self.acceptance.facts()}
        if self._teacher is not None:
            facts |= self._teacher.facts()
        if self.failures:
            facts["failed"] = len(self.failures)
        done = self._settled - (self._answers - self._durable.completions)
        self.progress.update(done, max(done, self._expected_attempts()), **facts)
        self.progress.spent(self.before.plus(self.meter.spent).plus(self.meter.beside()))

    def _expected_attempts(self) -> int:
        """How many attempts there will be in all, by the problems that are done."""
        if self.order.quota is None:
            return self.order.num_rows * self.order.most_samples
        done = self.meter.problems_done
        per_problem = self._of_done_problems / done if done else self.order.quota
        return self._of_done_problems + round(per_problem * (self.order.num_rows - done))

    def _say_if_stopped(self, request: Request | None) -> None:
        cap = self.meter.cap() if request is not None else None
        if cap is None and not self.stop.requested:
            return
        spent = self.meter.spent
        how = "stopped" if self.stop.requested else f"stopped at {cap}"
        cost = f", {dollars(spent.usd)}" if self.meter.price else ""
        raise StoppedOnPurpose(
            f"{how}: {spent.requests:,} requests of this run ({spent.tokens:,} tokens{cost}) are "
            "in the journal and are not bought again. Run the same command to go on."
        )
