"""Is the final answer equal to the key? Checked in order of cost, and never for ever.

1. The answer is what stands after the last `</think>`: the last `\\boxed{…}`, else what math-verify
   finds in the text (`final_answer.py`). An open think block is never an answer.
2. Equal texts and plain numbers are compared exactly (`numbers.py`), without any process.
3. What would be too large to evaluate is refused by its text (`complexity.py`).
4. The rest goes to math-verify in killable workers (`math_check.py`), once per (key, answer).

What the model made too complex to check, or what cannot be read, is 0.0; a key that is missing,
unreadable or itself too complex, and a checker that crashed, are unknown. A sample is judged by
its key whatever its `task`, except `code` and `choice`, which have judges of their own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from ..pipeline.filter import JudgeContext, SampleFilter
from ..pipeline.outcome import Crashed, Done, Outcome, OutOfMemory, Raised, TimedOut
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from ..pipeline.workers import WorkerPool
from .complexity import too_complex
from .final_answer import find_answer, tidy_key
from .math_check import Check, Question, check, warm
from .numbers import read_number, same

_OTHER_TASKS = frozenset({"code", "choice"})
_SHOWN = 200
"""Characters of the answer kept as evidence."""
_PLAIN = "1"
"""An answer that no comparison could fail on for its own sake."""
_MOST_REMEMBERED = 200_000
_UNKNOWN = frozenset(
    {
        "no_completion",
        "no_key",
        "not_math",
        "unparseable_key",
        "too_complex_key",
        "checker_crashed",
    }
)


class MathAnswer(SampleFilter):
    """1.0 if the final answer equals the key, 0.0 if it does not, None if the key cannot tell.

    Args:
        cpu_seconds: CPU time one comparison may take in the worker.
        memory_mb: address space (MiB) that one comparison may add.
    """

    kind: ClassVar[str] = "math"
    reasons: ClassVar[frozenset[str]] = _UNKNOWN | {
        "correct",
        "wrong",
        "no_answer",  # nothing after the thought, an empty box, or text without any expression
        "unclosed_think",
        "unclosed_box",
        "cut_off",  # by the token limit, and no box was finished before
        "unparseable_answer",
        "not_comparable",  # the key is fine, but comparing this answer with it raises
        "too_complex",
    }
    depends: ClassVar[tuple[str, ...]] = ("math-verify", "sympy", "latex2sympy2_extended")

    cpu_seconds: float = Field(default=3.0, gt=0)
    memory_mb: int = Field(default=1024, ge=64)

    @contextlib.contextmanager
    def open(self, context: JudgeContext) -> Iterator[MathJudge]:
        pool = WorkerPool(
            check,
            count=context.workers,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mb << 20,
            initializer=warm,
        )
        with pool:
            yield MathJudge(pool)


@dataclass(frozen=True, slots=True)
class _Opinion:
    """A reason, and how it was come by: all that is remembered of a (key, answer)."""

    reason: str
    method: str
    extracted: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sample whose answer was found and has to be compared."""

    question: Question
    evidence: dict[str, Json]


class MathJudge:
    """Judges batches; safe to call from several threads, one at a time inside."""

    def __init__(self, pool: WorkerPool[Question, Check]) -> None:
        self._pool = pool
        self._known: dict[Question, _Opinion] = {}
        self._lock = threading.Lock()

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        asked = [_ask(sample) for sample in samples]
        with self._lock:
            questions = (one.question for one in asked if isinstance(one, _Asked))
            opinions = self._opinions(list(dict.fromkeys(questions)))
        return [
            one if isinstance(one, Verdict) else _verdict(one, opinions[one.question])
            for one in asked
        ]

    def _opinions(self, questions: list[Question]) -> dict[Question, _Opinion]:
        """The opinion on each question, remembered ones first; crashes are not remembered."""
        if len(self._known) > _MOST_REMEMBERED:
            self._known.clear()
        found = {one: self._known.get(one) or _cheap(one) for one in questions}
        hard = [one for one, opinion in found.items() if opinion is None]
        outcomes = dict(zip(hard, self._pool.map(hard), strict=True))
        failed = {one.key for one, outcome in outcomes.items() if not isinstance(outcome, Done)}
        keys = self._check_keys(sorted(failed))
        for one, outcome in outcomes.items():
            found[one] = _opinion(outcome, keys.get(one.key))
        opinions = {one: opinion for one, opinion in found.items() if opinion is not None}
        for one, opinion in opinions.items():
            if opinion.reason != "checker_crashed":
                self._known[one] = opinion
        return opinions

    def _check_keys(self, keys: list[str]) -> dict[str, Outcome[Check]]:
        """Compare the keys of failed comparisons with a plain number: was it their fault?"""
        doubtful = [key for key in keys if read_number(key) is None]
        questions = [Question(key, _PLAIN, boxed=True) for key in doubtful]
        plain: Outcome[Check] = Done(Check("different"))
        return dict.fromkeys(keys, plain) | dict(
            zip(doubtful, self._pool.map(questions), strict=True)
        )


def _ask(sample: Sample) -> Verdict | _Asked:
    """Find the answer, or say at once why there is nothing to compare."""
    key = sample.answer
    if sample.task in _OTHER_TASKS:
        return Verdict(None, "not_math", {"task": sample.task})
    if key is None or not key.strip():
        return Verdict(None, "no_key")
    if sample.completion is None:
        return Verdict(None, "no_completion")
    found = find_answer(sample.completion)
    if found.fault is not None:
        return Verdict(0.0, found.fault, found.evidence)
    cut = sample.generation is not None and sample.generation.finish_reason == "length"
    if cut and not found.boxed:
        return Verdict(0.0, "cut_off")
    return _Asked(Question(tidy_key(key), found.text, found.boxed), found.evidence)


def _cheap(question: Question) -> _Opinion | None:
    """What can be said without evaluating anything, or None."""
    if question.boxed:
        equal = same(question.key, question.answer)
        if equal is not None:
            return _Opinion("correct" if equal else "wrong", "exact")
    if why := too_complex(question.key):
        return _Opinion("too_complex_key", "guard", detail=why)
    if question.boxed and (why := too_complex(question.answer)):
        return _Opinion("too_complex", "guard", detail=why)
    return None


def _opinion(outcome: Outcome[Check], key_alone: Outcome[Check] | None) -> _Opinion:
    """Whose fault an outcome is: the answer's only if the key can be compared with a number."""
    if isinstance(outcome, Done):
        finding = outcome.value.finding
        reason = {"equal": "correct", "different": "wrong"}.get(finding, finding)
        return _Opinion(reason, "math-verify", outcome.value.extracted)
    detail = _brief(outcome)
    if isinstance(outcome, Crashed) or isinstance(key_alone, Crashed):
        return _Opinion("checker_crashed", "math-verify", detail=detail)
    if isinstance(key_alone, TimedOut | OutOfMemory):
        return _Opinion("too_complex_key", "math-verify", detail=detail)
    if not isinstance(key_alone, Done) or key_alone.value.finding == "unparseable_key":
        return _Opinion("unparseable_key", "math-verify", detail=detail)
    hungry = isinstance(outcome, TimedOut | OutOfMemory)
    if hungry or (isinstance(outcome, Raised) and outcome.type == "RecursionError"):
        return _Opinion("too_complex", "math-verify", detail=detail)
    return _Opinion("not_comparable", "math-verify", detail=detail)


def _brief(outcome: Outcome[Check]) -> str:
    """How a comparison failed; no messages, since these may hold addresses that change."""
    if isinstance(outcome, Raised):
        return outcome.type
    return outcome.detail if isinstance(outcome, Crashed) else type(outcome).__name__


def _verdict(asked: _Asked, opinion: _Opinion) -> Verdict:
    evidence = asked.evidence | {"method": opinion.method}
    shown = asked.question.answer if asked.question.boxed else opinion.extracted
    if shown is not None:
        evidence["answer"] = _printable(shown[:_SHOWN])
    if opinion.detail is not None:
        evidence["detail"] = opinion.detail
    if opinion.reason in _UNKNOWN:
        return Verdict(None, opinion.reason, evidence)
    return Verdict(1.0 if opinion.reason == "correct" else 0.0, opinion.reason, evidence)


def _printable(text: str) -> str:
    """Lone surrogates, which a model's JSON can hold, have no UTF-8 form."""
    return text.encode("utf-8", "replace").decode("utf-8")
