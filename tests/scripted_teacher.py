"""A teacher that follows a script: answers are a function of the request, in a shuffled order.

It speaks the `Teacher` protocol as an engine would, and counts what it was asked. `act` may fail a
request (it returns a reason) or raise. Tests of the loop use it in the place of an engine.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from potstill.models.journal_writer import JournalWriter
from potstill.models.order import Attempt
from potstill.models.request import Abandoned, Completion, Failure, Outcome, Request
from potstill.pipeline.sample import Sample

Act = Callable[[Request], str | None]


def scripted(request: Request, tokens: int = 10) -> Completion:
    text = f"<think>\n{request.index}\n</think>\n{request.messages[-1].content}"
    return Completion(request.key, text, "stop", 5, tokens, "t", "{}")


class ScriptedTeacher:
    """Answers up to `at_once` requests of a poll."""

    def __init__(
        self,
        act: Act = lambda request: None,
        *,
        capacity: int = 8,
        answer: Callable[[Request], Completion] = scripted,
    ) -> None:
        self.act = act
        self.capacity = capacity
        self.answer = answer
        self.opened = 0
        self.asked: list[Request] = []
        self.discarded = self.withheld = 0
        self.drained = False
        self.most_at_once = 0
        self._flying: list[Request] = []
        self._random = random.Random(0)
        self._news = threading.Event()

    @contextmanager
    def open(self) -> Iterator[ScriptedTeacher]:
        self.opened += 1
        yield self

    @property
    def room(self) -> int:
        return self.capacity - len(self._flying)

    def submit(self, request: Request) -> None:
        assert self.room > 0, "submitted without room"
        self.asked.append(request)
        self._flying.append(request)
        self.most_at_once = max(self.most_at_once, len(self._flying))

    def poll(self, seconds: float) -> list[Outcome]:
        if not self._flying:
            self._news.wait(seconds)
            self._news.clear()
            return []
        request = self._flying.pop(self._random.randrange(len(self._flying)))
        reason = self.act(request)
        if reason == "abandon":
            return [Abandoned(request.key)]
        if reason is not None:
            return [Failure(request.key, reason, f"scripted for {request.subject}")]
        return [self.answer(request)]

    def wake(self) -> None:
        self._news.set()

    def drain(self) -> None:
        self.drained = True

    def facts(self) -> Mapping[str, Any]:
        return {}


class Rule:
    """Judges at once by a rule; the `Acceptance` protocol without a thread."""

    def __init__(self, rule: Callable[[Sample], bool] | None = None) -> None:
        self.rule = rule
        self.judged: list[Sample] = []
        self._results: list[tuple[Attempt, bool]] = []

    @property
    def is_asked(self) -> bool:
        return self.rule is not None

    @property
    def backlog(self) -> int:
        return len(self._results)

    def recall(self, sample: Sample) -> bool | None:
        return None

    def submit(self, attempt: Attempt, sample: Sample) -> None:
        assert self.rule is not None
        self.judged.append(sample)
        self._results.append((attempt, self.rule(sample)))

    def results(self) -> list[tuple[Attempt, bool]]:
        found, self._results = self._results, []
        return found

    def start(self, writer: JournalWriter, wake: Callable[[], None]) -> None:
        pass

    def stop(self) -> None:
        pass

    def facts(self) -> Mapping[str, Any]:
        return {"accepted": 0.5} if self.is_asked else {}
