"""Is the thought, and is the answer, neither too short nor too long?

Without limits it judges everything 1.0 and is a way to record the lengths as evidence. Tokens are
not counted here: they depend on a tokenizer, and generation records its own.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ..models.thinking import Span, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .words import count_words

Limit = int | None


class Length(RowFilter):
    """1.0 inside all limits (both ends belong to it), else 0.0 with the first one broken."""

    kind: ClassVar[str] = "length"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            "ok",
            "thought_too_short",
            "thought_too_long",
            "answer_too_short",
            "answer_too_long",
            "no_completion",
        }
    )

    unit: Literal["characters", "words"] = "characters"
    min_thought: Limit = Field(default=None, ge=0)
    max_thought: Limit = Field(default=None, ge=0)
    min_answer: Limit = Field(default=None, ge=0)
    max_answer: Limit = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _limits_leave_room(self) -> Length:
        for part in ("thought", "answer"):
            least, most = self._limits(part)
            if least is not None and most is not None and least > most:
                raise ValueError(f"min_{part} is {least} and max_{part} {most}: nothing fits")
        return self

    def _limits(self, part: str) -> tuple[Limit, Limit]:
        if part == "thought":
            return self.min_thought, self.max_thought
        return self.min_answer, self.max_answer

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        parts = split(text)
        lengths = {
            "thought": self._measure(text, parts.thought),
            "answer": self._measure(text, parts.answer),
        }
        evidence: dict[str, Json] = {"unit": self.unit, **lengths}
        for part, length in lengths.items():
            least, most = self._limits(part)
            if least is not None and length < least:
                return Verdict(0.0, f"{part}_too_short", evidence)
            if most is not None and length > most:
                return Verdict(0.0, f"{part}_too_long", evidence)
        return Verdict(1.0, "ok", evidence)

    def _measure(self, text: str, span: Span | None) -> int:
        """Length of a part without the white space around it; a missing part has length 0."""
        part = text[slice(*span)].strip() if span else ""
        return len(part) if self.unit == "characters" else count_words(part)
