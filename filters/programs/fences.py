r"""Fenced blocks of markdown, as models write them.

The rules are CommonMark's: three or more backticks or tildes open a block, as many of the same sign
or more close it, shorter or other fences are text inside, a block that is never closed runs to the
end, and the indentation of its fence is taken off its lines. Where models break the rules, a block
ends where a reader sees its end:

* a fence with a tag inside an open block begins a new block: the old one was not closed;
* a fence at the end of a line of code closes, and one with prose behind it ("``` Done.");
* "Here it is: ```python" opens, although prose stands before it;
* a fence in a comment or a long string of a Python program (an example in a docstring) is text.

Blocks inside lists and quotations count. No language is preferred here: see `program.py`. Every
text takes linear time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ...models.thinking import Span
from .fence_lines import Fence, fences_of
from .language_tags import UNTAGGED, language_of
from .python_strings import LongStrings

_SCANNED: Final = ("python", UNTAGGED)
"""Languages whose comments and strings are looked at."""
_PASSED_OVER: Final = 20
"""Fences that the comments and strings of a block may hold: without a bound, many blocks whose
strings never end would take quadratic time."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `span` is what stands between its fences, in code points of the text."""

    language: str
    span: Span
    closed: bool
    opener: Fence

    def code(self, text: str) -> str:
        """The lines of the block without the indentation of its fence and with plain newlines."""
        lines = text[slice(*self.span)].replace("\r\n", "\n").split("\n")
        return "\n".join(self.opener.without_lead(lines))


def fenced_blocks(text: str) -> list[Block]:
    """The blocks of a text, in order, empty ones included."""
    fences = fences_of(text)
    blocks: list[Block] = []
    at = 0
    while at < len(fences):
        opener = fences[at]
        at += 1
        if not opener.opens:
            continue
        language = language_of(opener.info)
        ends = (number for number in range(at, len(fences)) if fences[number].ends(opener))
        if language in _SCANNED:
            horizon = (
                fences[at + _PASSED_OVER].end if at + _PASSED_OVER < len(fences) else len(text)
            )
            end = _first_in_code(fences, ends, LongStrings(text, opener.end, horizon))
        else:
            end = next(ends, None)
        if end is None:
            blocks.append(Block(language, (opener.end, len(text)), False, opener))
            break
        closing = fences[end]
        blocks.append(Block(language, (opener.end, closing.start), closing.closes, opener))
        at = end + closing.closes
    return blocks


def _first_in_code(
    fences: Sequence[Fence], ends: Iterator[int], strings: LongStrings
) -> int | None:
    """The first end that no comment or string holds; the very first if a string never ends."""
    first: int | None = None
    for passed, number in enumerate(ends):
        first = number if first is None else first
        place = strings.place(fences[number].start)
        if place == "code":
            return number
        if place == "open string" or passed == _PASSED_OVER:
            return first
    return None
