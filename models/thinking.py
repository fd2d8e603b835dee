"""Where the thought ends and the answer begins: the one place that knows the think tags.

A completion is `<think>thought</think>answer`. What is written after the *last* `</think>` is the
answer; while a think block is open nothing is. A completion without any tag is all answer and has
no thought. Only the two exact tags count: `<thinking>` or `<THINK>` is ordinary text here. A tag
counts wherever it stands, in code and quotations too, since chat templates and servers split there.

Teachers that write other tags are read by naming these (`Tags`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from .chat import END_THINK, THINK

OPEN, CLOSE = THINK, END_THINK

Span = tuple[int, int]
"""[start, end) in code points of the completion."""


class Tags(NamedTuple):
    """The two tags around a thought."""

    open: str
    close: str


THINK_TAGS: Final = Tags(OPEN, CLOSE)


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts of a completion as spans; None where there is no such part."""

    thought: Span | None
    answer: Span | None
    """None only while a think block is open."""
    opens: int
    closes: int

    @property
    def unclosed(self) -> bool:
        return self.answer is None


def split(completion: str, tags: Tags = THINK_TAGS) -> Parts:
    """Find the thought and the answer of a completion, however malformed.

    The thought of a repeated or nested block reaches from the first tag to the last closing one;
    without an opening tag (a prefilled one that was not put back) from the start.
    """
    opens, closes = completion.count(tags.open), completion.count(tags.close)
    if not opens and not closes:
        return Parts(None, (0, len(completion)), 0, 0)
    first_open, last_open = completion.find(tags.open), completion.rfind(tags.open)
    last_close = completion.rfind(tags.close)
    start = 0
    if first_open >= 0 and (last_close < 0 or first_open < last_close):
        start = first_open + len(tags.open)
    if last_open > last_close:
        return Parts((start, len(completion)), None, opens, closes)
    answer = (last_close + len(tags.close), len(completion))
    return Parts((start, last_close), answer, opens, closes)


def tag_spans(completion: str, tag: str) -> list[Span]:
    """Every place of one tag, in order."""
    found: list[Span] = []
    at = completion.find(tag)
    while at >= 0:
        found.append((at, at + len(tag)))
        at = completion.find(tag, at + len(tag))
    return found


def reasoning_span(parts: Parts, completion: str) -> Span:
    """What to read as the chain of thought: the thought, or all of a completion without tags."""
    return parts.thought or (0, len(completion))
