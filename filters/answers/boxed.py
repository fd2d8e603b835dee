r"""Find the `\boxed{…}` answers in a text by matching braces, in one pass.

Regular expressions cannot match braces, and searching from every box anew takes quadratic time on
hostile text. Escaped braces (`\{`) are content, `\fbox` counts too, and so does what transport made
of the command: `\\boxed` (escaped twice), a backspace and `oxed` (escaped not at all), `boxed{5}`.
Without braces a number or one command is the content: `\boxed 5`, `\boxed\frac{1}{2}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from ...models.thinking import Span

_NAME = r"(?:\\{1,2}(?:boxed|fbox)|\x08oxed|\x0cbox|(?<![A-Za-z\\])boxed(?=\{))"
_UNBRACED = r"[-+−]?(?:\d+(?:[.,/]\d+)*+|\\[A-Za-z]++(?:\{[^{}\\]*+\}|\d)*+)"
_TOKEN = re.compile(
    rf"(?P<box>{_NAME}(?![A-Za-z])\s*+(?:\{{|(?P<content>{_UNBRACED})))|\\.|[{{}}]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Spans of the contents of all closed boxes, in the order in which they begin."""

    contents: list[Span]
    left_open: int | None = None
    """Where the content of the box begins that is the last of all and never ends."""

    @property
    def last_is_unclosed(self) -> bool:
        return self.left_open is not None

    def innermost(self) -> list[Span]:
        """The boxes that hold no other: `3` of `\\boxed{x = \\boxed{3}}`."""
        return [
            box
            for box, after in zip_longest(self.contents, self.contents[1:])
            if after is None or after[0] >= box[1]
        ]


def find_boxes(text: str, start: int = 0) -> Boxes:
    """All boxes in `text[start:]`; spans count from the start of `text`."""
    opened: list[tuple[bool, int]] = []  # (is a box, start of its content)
    closed: list[Span] = []
    for token in _TOKEN.finditer(text, start):
        if token["content"] is not None:
            closed.append(token.span("content"))
        elif token["box"] is not None:
            opened.append((True, token.end()))
        elif token.group() == "{":
            opened.append((False, token.end()))
        elif token.group() == "}" and opened:
            is_box, begin = opened.pop()
            if is_box:
                closed.append((begin, token.start()))
    closed.sort()
    last_closed = closed[-1][0] if closed else -1
    begins = [begin for is_box, begin in opened if is_box and begin > last_closed]
    return Boxes(closed, begins[-1] if begins else None)
