r"""Which places of a Python program lie in a comment or in a string of several lines.

Fences there are the program's own text. This is a scanner of quotation marks and comments, nothing
more: it also has to make sense of programs that do not compile. It reads on only as far as it is
asked, and each sign once.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Place = Literal["code", "comment", "string", "open string"]
"""`open string`: one that never ends."""

_QUOTED: Final = re.compile(
    r'(?P<long>"""(?:[^"\\]++|\\.|"(?!""))*+(?P<double>""")?+)'
    r"|(?P<longer>'''(?:[^'\\]++|\\.|'(?!''))*+(?P<single>''')?+)"
    r'|"(?:[^"\\\n]++|\\.)*+"?+'
    r"|'(?:[^'\\\n]++|\\.)*+'?+"
    r"|(?P<comment>\#[^\n]*+)",
    re.DOTALL,
)
_BEGINS: Final = re.compile("[\"'#]")


class LongStrings:
    """The comments and strings of the program `text[start:end]`; ask from front to back."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._end = text, end
        self._read_to = start
        self._last: re.Match[str] | None = None

    def place(self, at: int) -> Place:
        """What a place of the text lies in; never one before the place asked last."""
        while self._read_to <= at and self._begins_before(at):
            pass
        found = self._last
        if found is None or found.end() <= at:
            return "code"
        if found["comment"] is not None:
            return "comment"
        if found["long"] is not None or found["longer"] is not None:
            return "string" if found["double"] or found["single"] else "open string"
        return "string" if "\n" in found.group() else "code"

    def _begins_before(self, at: int) -> bool:
        """Read one more string or comment, if one begins before `at`."""
        begin = _BEGINS.search(self._text, self._read_to, at)
        if begin is None:
            self._read_to = at
            return False
        self._last = _QUOTED.match(self._text, begin.start(), self._end)
        self._read_to = begin.start() + 1 if self._last is None else self._last.end()
        return True
