r"""The part of a completion that a filter on text reads, or why there is nothing to read.

    boxed        the content of the last closed `\boxed{…}` of the answer, or the whole answer
    answer       what stands after the last `</think>`
    thought      the chain of thought; all of a completion without tags
    completion   everything, tags included

`unwrapped` takes off what only sets an answer off from the prose around it: bold marks, code marks,
math delimiters, `\text{…}`, quotation marks around the whole. It never looks inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from ...models.thinking import reasoning_span, split
from ...pipeline.sample import Sample
from ...pipeline.verdict import Json, Verdict
from ..unfinished import unfinished
from .boxed import find_boxes

Where = Literal["boxed", "answer", "thought", "completion"]

SHOWN: Final = 200
"""Characters of an answer kept as evidence."""

_PAIRS: Final = [
    *(("**", "**"), ("__", "__"), ("``", "``"), ("`", "`"), ("*", "*"), ("_", "_")),
    *(("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")),
    *(('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("《", "》")),
]
_COMMAND: Final = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|mathrm|mathbf|mathit|mathsf|boldsymbol|mbox)"
    r"\s*\{([^{}]*)\}",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a completion and where it begins there."""

    text: str
    start: int

    def span(self, start: int, end: int) -> list[Json]:
        """A place in this part as a span of the completion."""
        return [self.start + start, self.start + end]


def read_part(sample: Sample, where: Where) -> Part | Verdict:
    """The part to judge, or the verdict on a sample that has none (`UNFINISHED` reasons)."""
    text = sample.completion
    if text is None:
        return Verdict(None, "no_completion")
    if where in ("boxed", "answer"):
        return unfinished(sample) or _answer(text, boxed=where == "boxed")
    parts = split(text)
    cut = sample.generation is not None and sample.generation.finish_reason == "length"
    if cut and (where == "completion" or parts.unclosed):
        return Verdict(0.0, "truncated")
    if not text.strip():
        return Verdict(0.0, "no_answer")
    start, end = reasoning_span(parts, text) if where == "thought" else (0, len(text))
    return Part(text[start:end], start)


def _answer(text: str, *, boxed: bool) -> Part | Verdict:
    start, end = split(text).answer or (0, 0)
    boxes = find_boxes(text, start)
    if not boxed or not (boxes.contents or boxes.last_is_unclosed):
        return Part(text[start:end], start)
    if boxes.last_is_unclosed:
        return Verdict(0.0, "no_answer", {"unclosed_box": True})
    start, end = boxes.contents[-1]
    if not text[start:end].strip():
        return Verdict(0.0, "no_answer", {"answer_span": [start, end]})
    return Part(text[start:end], start)


def key_text(key: str) -> str:
    """A key as it is compared: what is in its box, if it has one."""
    boxes = find_boxes(key).contents
    return key[slice(*boxes[-1])] if boxes else key


def unwrapped(text: str) -> str:
    """`text` without white space and marks around the whole of it."""
    before = None
    while text != before:
        before = text = text.strip()
        if command := _COMMAND.fullmatch(text):
            text = command.group(1)
        for opening, closing in _PAIRS:
            inner = text[len(opening) : -len(closing)]
            wrapped = text == f"{opening}{inner}{closing}" and inner.strip()
            if wrapped and opening not in inner and closing not in inner:
                text = inner
                break
    return text


def printable(text: str) -> str:
    """Beginning of a text as evidence; lone surrogates, which JSON can hold, have no UTF-8 form."""
    return text[:SHOWN].encode("utf-8", "replace").decode("utf-8")
