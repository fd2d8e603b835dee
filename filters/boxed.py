"""Find the `\\boxed{…}` answers in a text by matching braces, in one pass.

Regular expressions cannot match braces, and searching from every box anew takes quadratic time on
hostile text. Escaped braces (`\\{`) are content. `\\fbox` counts too; `\\boxed 5` does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..models.thinking import Span

_TOKEN = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Spans of the contents of all closed boxes, in the order in which they begin."""

    contents: list[Span]
    last_is_unclosed: bool
    """The box that begins last never ends: the answer in it is cut off."""


def find_boxes(text: str, start: int = 0) -> Boxes:
    """All boxes in `text[start:]`; spans count from the start of `text`."""
    opened: list[tuple[bool, int]] = []  # (is a box, start of its content)
    closed: list[Span] = []
    for token in _TOKEN.finditer(text, start):
        sign = token.group()
        if sign == "}":
            if opened:
                is_box, begin = opened.pop()
                if is_box:
                    closed.append((begin, token.start()))
        elif sign.endswith("{") and sign != r"\{":
            opened.append((sign != "{", token.end()))
    closed.sort()
    last_closed = closed[-1][0] if closed else -1
    unclosed = any(is_box and begin > last_closed for is_box, begin in opened)
    return Boxes(closed, unclosed)
