"""Is the completion one closed `<think>…</think>` with an answer after it?

Only the shape is judged, never the content. A completion that the token limit cut is `cut_off`
whatever it looks like: its last sentence is missing even where the tags are whole.
"""

from __future__ import annotations

from typing import ClassVar

from ..models.thinking import OPEN, Parts, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Verdict


class Format(RowFilter):
    """1.0 for `<think>thought</think>answer`, else 0.0 with the first fault found."""

    kind: ClassVar[str] = "format"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            "ok",
            "no_completion",  # nothing was generated: unknown
            "cut_off",  # finish_reason is length
            "no_think",  # neither tag
            "unopened_think",  # </think> without <think>
            "unclosed_think",  # the last <think> is never closed
            "nested_or_repeated_think",
            "text_before_think",
            "empty_think",
            "no_answer",  # nothing but white space after </think>
        }
    )

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        if sample.generation is not None and sample.generation.finish_reason == "length":
            return Verdict(0.0, "cut_off")
        parts = split(text)
        fault = _fault(text, parts)
        if fault is not None:
            return Verdict(0.0, fault, {"opens": parts.opens, "closes": parts.closes})
        return Verdict(1.0, "ok")


def _fault(text: str, parts: Parts) -> str | None:
    """The first fault in the order a reader would meet them, or None."""
    if parts.thought is None:
        return "no_think"
    if parts.answer is None:
        return "unclosed_think"
    if parts.opens == 0:
        return "unopened_think"
    if parts.opens > 1 or parts.closes > 1:
        return "nested_or_repeated_think"
    if not text.lstrip().startswith(OPEN):
        return "text_before_think"
    if not text[slice(*parts.thought)].strip():
        return "empty_think"
    if not text[slice(*parts.answer)].strip():
        return "no_answer"
    return None
