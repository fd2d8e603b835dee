"""Cases that are calls: made in as few processes as it takes, and their values compared outside.

All calls of a key run in one process. Where a call kills it, that case has failed; if shares count,
the cases behind it are run in a new one, unless they would fare no better. Asserts that could be
rewritten are calls too; what is left of them runs inside, beside the program, as one case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...pipeline.verdict import Json
from ..sandbox.execution import Asserts, Call, Calls
from .asserts import AssertCase, holds
from .checks import CallCase
from .evidence import beginning
from .outcomes import Outcome, Score
from .reports import CallResults, Failed, Returned, call_results
from .runs import Runs
from .values import same, shown
from .wires import Plain


@dataclass(frozen=True, slots=True)
class Question:
    """A call, and whether a value is the right answer to it."""

    call: Call
    is_met_by: Callable[[Plain], bool]
    source: str | None = None
    """The assert that it was made of."""

    def outcome(self, result: Returned | Failed) -> Outcome:
        """What the result of the call means."""
        told: dict[str, Json] = {} if self.source is None else {"assert": beginning(self.source)}
        if isinstance(result, Failed):
            return Failed(result.reason, told | result.detail)
        if self.is_met_by(result.value):
            return None
        return Failed("wrong", told | {"value": beginning(shown(result.value))})


def question_of(case: CallCase | AssertCase, tolerance: float) -> Question:
    """What a case of a key asks."""
    if isinstance(case, CallCase):
        return Question(case.call, lambda got: same(case.expected, got, tolerance))
    return Question(case.call, lambda got: holds(case, got, tolerance), case.source)


@dataclass(frozen=True, slots=True)
class CalledCases:
    """A program whose entry point is called.

    Args:
        room_kb: what the expected values may take on their way out, beside the usual limit.
    """

    code: str
    entry_point: str
    runs: Runs
    score: Score
    room_kb: int

    def outcomes(self, questions: Sequence[Question]) -> list[Outcome]:
        """An outcome for each; up to the first failure, where all have to pass."""
        outcomes: list[Outcome] = []
        while rest := questions[len(outcomes) :]:
            results = self._results(rest)
            answered = zip(rest, results.calls, strict=False)  # the process may have died in one
            outcomes += [question.outcome(result) for question, result in answered]
            if self.score == "all" and any(outcomes):
                return _up_to_first_failure(outcomes)
            if results.ended is None:
                return outcomes
            outcomes.append(rest[len(results.calls)].outcome(results.ended))
            if self.score == "all":
                return outcomes
            left = len(questions) - len(outcomes)
            given_up = results.ended if results.hopeless else self.runs.given_up(results.ended)
            outcomes += [given_up] * left if given_up is not None else []
        return outcomes

    def _results(self, questions: Sequence[Question]) -> CallResults:
        task = Calls(self.entry_point, tuple(question.call for question in questions))
        return call_results(self.runs.report(self.code, task, self.room_kb), len(questions))


def _up_to_first_failure(outcomes: Sequence[Outcome]) -> list[Outcome]:
    failed = next(number for number, outcome in enumerate(outcomes) if outcome is not None)
    return list(outcomes[: failed + 1])


def asserted_inside(code: str, entry_point: str, asserts: str, runs: Runs) -> Outcome:
    """Whether asserts ran through beside the program, by what its own process says."""
    results = call_results(runs.report(code, Asserts(entry_point, asserts)), 1)
    result = results.ended or results.calls[0]
    if isinstance(result, Returned):
        return None if result.value is True else Failed("protocol_violation")
    if result.detail.get("raised") == "AssertionError":
        return Failed("wrong", result.detail)
    return result
