"""A model that a judge consults: its answers are bought by generation's own loop and journal.

What is asked is an order like any other: durable before it is counted, under content keys and so
never bought twice, within the step's budget, ended by its wish to stop. The teacher is opened when
an answer is missing for the first time and stays open for the next call.

A judge may be asked beside a running generation (`accept`), in another thread. It has a connection
to the journal of its own for each call: SQLite lets the two writers take turns. What the answers
mean is the judge's business (`filters/votes.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from ..pipeline.budget import Spent
from ..pipeline.errors import StepFailed
from ..pipeline.progress import Progress
from ..pipeline.sample import Message, Sample, new_sample
from ..pipeline.stage import Context
from .buying import Buying
from .failures import HOPELESS, Failures
from .journal import Journal, open_journal
from .journal_writer import JournalWriter
from .meter import Meter
from .opening import Opening
from .order import Attempt, Order, Tier, chunked
from .prompts import Asking
from .questions import Questions
from .request import Completion, Failure, Keys, Teacher
from .sampling import Sampling
from .teacher import EndpointTeacher, LocalTeacher

Conversation: TypeAlias = tuple[Message, ...]
Answers: TypeAlias = list[Completion | Failure]
"""To one conversation, by sample index."""

_AS_IT_IS: Final = Questions(Asking())


@dataclass(frozen=True)
class Consultation:
    """Who is asked, how, and for how many answers each time."""

    teacher: LocalTeacher | EndpointTeacher
    sampling: Sampling
    samples: int
    template_kwargs: Mapping[str, Any]
    concurrency: int | None = None


@contextmanager
def open_consultant(wanted: Consultation, context: Context, name: str) -> Iterator[Consultant]:
    """Someone to ask, inside the block.

    Args:
        context: of the step that judges: its journal, budget, progress and wish to stop.
        name: what the journal calls the answers, after the step's own label.

    Raises:
        RequestError: a key or an engine is missing.
    """
    opening = Opening(
        wanted.teacher, context, (wanted.sampling,), wanted.template_kwargs, wanted.concurrency
    )
    opening.check()
    with ExitStack() as stack:
        yield Consultant(wanted, opening, context, name, stack)


class Consultant:
    """Asks one model; several threads may use it one after the other."""

    def __init__(
        self,
        wanted: Consultation,
        opening: Opening,
        context: Context,
        name: str,
        stack: ExitStack,
    ) -> None:
        identity = wanted.teacher.identity(context)
        keys = Keys(identity, wanted.sampling, {}, wanted.template_kwargs)
        self._tier = Tier(identity, keys, wanted.samples)
        self._opening = opening
        self._context = context
        self._label = f"{context.step}/{name}"
        self._stack = stack
        self._teacher: Teacher | None = None
        self._spent = Spent()
        self._has_answered = False
        self._unanswered = 0

    def ask(self, conversations: Sequence[Conversation]) -> Iterator[Answers]:
        """The answers to each conversation; what failed for good stands in its place.

        Raises:
            StepFailed: nothing at all is answered.
            StoppedOnPurpose: a cap was reached, or a stop was asked for.
        """
        if not conversations:
            return
        rows = [new_sample(messages) for messages in conversations]
        order = Order(lambda: ((row, {}) for row in rows), len(rows), _AS_IT_IS, (self._tier,))
        failures = _Lost(max_failed=1.0)
        with open_journal(self._context.journal) as journal:
            self._buy(order, journal, failures)
            for problems in chunked(order.attempts()):
                keys = [attempt.request.key for attempts in problems for attempt in attempts]
                bought = journal.read(keys)
                for attempts in problems:
                    yield self._answers(attempts, bought, failures)

    def _buy(self, order: Order, journal: Journal, failures: Failures) -> None:
        context, price, before = self._context, self._opening.config.price, self._spent
        meter = Meter(
            context.budget,
            price,
            order.num_rows,
            self._opening.samplings[0].max_tokens,
            lambda: context.spending.beside(self).plus(before),
        )
        context.spending.add(self, lambda: before.plus(meter.spent))
        buying = Buying(
            order,
            0,
            journal,
            self._label,
            _NobodyJudges(),
            meter,
            failures,
            _Aside(context.progress),
            context.stop,
        )
        self._spent = before.plus(buying.run(self._open))

    def _open(self) -> AbstractContextManager[Teacher]:
        if self._teacher is None:
            self._teacher = self._stack.enter_context(_beside(self._opening).open())
        return nullcontext(self._teacher)

    def _answers(
        self, attempts: Sequence[Attempt], bought: Mapping[str, Completion], failures: Failures
    ) -> Answers:
        keys = [attempt.request.key for attempt in attempts]
        answers: Answers = [bought.get(key) or failures[key] for key in keys]
        self._has_answered |= any(isinstance(each, Completion) for each in answers)
        self._unanswered += 1
        if not self._has_answered and self._unanswered >= HOPELESS:
            first = next(each for each in answers if isinstance(each, Failure))
            raise StepFailed(
                f"{self._opening.config.model!r} was asked about {self._unanswered} samples and "
                f"answered nothing; it said {first.reason}: {first.detail}. Correct the teacher of "
                "the filter, then run the same command again."
            )
        return answers


class _Lost(Failures):
    """Failures that cost an answer each; whether there are too many `Consultant` says."""

    def check(self, attempts: int, answered: bool) -> None:
        """A batch may begin with samples that are too long to be asked about."""

    def check_all(self, attempts: int) -> None:
        """A batch of one may fail."""


class _NobodyJudges:
    """The `Acceptance` of an order without a quota."""

    backlog = 0
    is_asked = False

    def recall(self, sample: Sample) -> bool | None:
        return None

    def submit(self, attempt: Attempt, sample: Sample) -> None:
        raise NotImplementedError("nobody is asked")

    def results(self) -> list[tuple[Attempt, bool]]:
        return []

    def start(self, writer: JournalWriter, wake: Callable[[], None]) -> None:
        pass

    def stop(self) -> None:
        pass

    def facts(self) -> Mapping[str, Any]:
        return {}


class _Aside(Progress):
    """Passes on notes and what was spent; how far it is, the judging step says."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def note(self, text: str) -> None:
        self._progress.note(text)

    def spent(self, spent: Spent) -> None:
        self._progress.spent(spent)


def _beside(opening: Opening) -> Opening:
    """Beside the step's own engine, in another thread, vLLM runs as a server of its own.

    Two engines in one process would share one process group of torch.distributed, and the first to
    end would take it from the other.
    """
    config = opening.config
    alone = threading.current_thread() is threading.main_thread()
    if alone or isinstance(config, EndpointTeacher) or config.engine != "vllm":
        return opening
    return replace(opening, config=config.model_copy(update={"engine": "vllm-serve"}))
