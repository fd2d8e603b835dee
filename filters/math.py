r"""Is the final answer equal to the key? Everything happens in killable workers.

`final_answer.py` finds what the completion claims, `math_check.py` compares it with the key. What
the model left out, left open or made too complex to check is 0.0 with its reason; a key that is
missing, unreadable or itself too complex is unknown. A completion that the token limit cut is
`truncated`, even if a box was closed before: what came after it nobody knows, and whoever is
rewarded for it learns to ramble. Whose fault a killed comparison was is told by asking about the
same key answered with a plain number: only if that ends, it was the answer's.

Judged by its key is every task but `code`; a lone letter as key is a choice.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pydantic import Field

from ..pipeline.filter import Limits, RowFilter, brief
from ..pipeline.outcome import Done, Outcome, OutOfMemory, Raised, TimedOut
from ..pipeline.sample import Sample, new_sample
from ..pipeline.verdict import Verdict
from .answers.boxed import find_boxes
from .answers.final_answer import FinalAnswer, find_answer
from .equivalence.math_check import Finding, Question, check, fault_of_key
from .equivalence.word_answers import is_prose

_SHOWN: Final = 200
"""Characters of the answer kept as evidence."""
_PLAIN: Final = r"\boxed{1}"
"""An answer that no comparison could fail on for its own sake."""
_UNKNOWN: Final = frozenset(
    {"no_completion", "no_key", "not_math", "unparseable_key", "too_complex_key"}
)


class MathAnswer(RowFilter):
    """1.0 if the final answer equals the key, 0.0 if it does not, None if the key cannot tell.

    Args:
        cpu_seconds: CPU time that judging one completion may take.
        memory_mb: address space (MiB) that it may add.
    """

    kind: ClassVar[str] = "math"
    version: ClassVar[int] = 2
    reasons: ClassVar[frozenset[str]] = _UNKNOWN | {
        "correct",
        "wrong",
        "no_answer",  # nothing after the thought, an empty or open box, or nothing that claims
        "contradictory_answers",
        "thinking_not_closed",
        "truncated",
        "unparseable_answer",  # no reading, or none that can be compared with the key
        "too_complex",
    }
    depends: ClassVar[tuple[str, ...]] = ("math-verify", "sympy", "latex2sympy2_extended", "mpmath")

    cpu_seconds: float = Field(default=3.0, gt=0)
    memory_mb: int = Field(default=1024, ge=64)

    def limits(self) -> Limits:
        return Limits(self.cpu_seconds, self.memory_mb)

    def warm(self) -> None:
        from .equivalence.symbolic import warm

        warm()

    def answering(self, key: str) -> str:
        """A completion that answers exactly `key`."""
        return rf"\boxed{{{key}}}"

    def judge_one(self, sample: Sample) -> Verdict:
        key = sample.answer
        if sample.task == "code":
            return Verdict(None, "not_math", {"task": sample.task})
        if key is None or not key.strip():
            return Verdict(None, "no_key")
        if sample.completion is None:
            return Verdict(None, "no_completion")
        key = _bare(key)
        if (fault := fault_of_key(key)) is not None:
            return _verdict(fault, {})
        if sample.generation is not None and sample.generation.finish_reason == "length":
            return Verdict(0.0, "truncated")
        found = find_answer(sample.completion)
        if found.fault is not None:
            return Verdict(0.0, found.fault, found.evidence)
        answer = _written(sample.completion, found)
        finding = _compared(key, answer, found.evidence.get("found_by") == "boxed")
        return _verdict(finding, found.evidence | {"answer": _printable(answer[:_SHOWN])})

    def control(self, sample: Sample) -> Sample | None:
        return new_sample((), completion=_PLAIN, answer=sample.answer, task=sample.task)

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        if not _hungry(outcome):
            return super().failed(sample, outcome, control)
        if isinstance(control, Done):
            reason = "too_complex" if control.value.score is not None else control.value.reason
            return _verdict(Finding(reason, "killed", brief(outcome)), {})
        if control is not None and _hungry(control):
            return _verdict(Finding("too_complex_key", "killed", brief(outcome)), {})
        return super().failed(sample, outcome, control)


def _compared(key: str, answer: str, boxed: bool) -> Finding:
    """A sentence in a box is also read as a sentence: what it announces may be right."""
    finding = check(Question(key=key, answer=answer))
    if boxed and finding.reason in ("wrong", "unparseable_answer") and is_prose(answer):
        claimed = find_answer(answer)
        if claimed.evidence.get("found_by") == "phrase":
            again = check(Question(key=key, answer=claimed.text))
            return again if again.reason == "correct" else finding
    return finding


def _written(completion: str, found: FinalAnswer) -> str:
    """All that a box holds; in prose, the part that the claim was narrowed down to."""
    span = found.evidence.get("answer_span")
    if found.evidence.get("found_by") != "boxed" or not isinstance(span, list):
        return found.text
    start, end = (int(str(edge)) for edge in span)
    return completion[start:end]


def _bare(key: str) -> str:
    """A key may be a worked solution, as in GSM8K (`#### 18`) and MATH (a box)."""
    key = key.rpartition("####")[2]
    boxes = find_boxes(key).innermost()
    return key[slice(*boxes[-1])] if boxes else key


def _hungry(outcome: Outcome[Verdict]) -> bool:
    """Did it ask for more than it may have, as opposed to dying of something else?"""
    if isinstance(outcome, Raised):
        return outcome.type in ("RecursionError", "MemoryError")
    return isinstance(outcome, TimedOut | OutOfMemory)


def _verdict(finding: Finding, evidence: dict[str, Any]) -> Verdict:
    evidence = evidence | {"method": finding.method}
    if finding.detail is not None:
        evidence["detail"] = finding.detail
    if finding.reason in _UNKNOWN:
        return Verdict(None, finding.reason, evidence)
    return Verdict(float(finding.reason == "correct"), finding.reason, evidence)


def _printable(text: str) -> str:
    """Lone surrogates, which a model's JSON can hold, have no UTF-8 form."""
    return text.encode("utf-8", "replace").decode("utf-8")
