"""A filter that compares boxed numbers with the key as fractions, in the test's own process."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from toys import InProcess

from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict


class Equal(InProcess):
    """Says which (answer, key) it was asked about."""

    kind: ClassVar[str] = "equal"
    reasons: ClassVar[frozenset[str]] = frozenset({"correct", "wrong", "unreadable"})
    asked: ClassVar[list[tuple[str, str]]] = []

    def judge_one(self, sample: Sample) -> Verdict:
        text = (sample.completion or "").rpartition("\\boxed{")[2].partition("}")[0]
        self.asked.append((text, sample.answer or ""))
        try:
            same = Fraction(text) == Fraction(sample.answer or "")
        except ValueError:
            return Verdict(0.0, "unreadable")
        return Verdict(float(same), "correct" if same else "wrong")

    def answering(self, key: str) -> str:
        return f"\\boxed{{{key}}}"
