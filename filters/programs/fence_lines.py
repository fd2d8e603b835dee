r"""Every fence of a text: where it stands, what is written around it, and what it can do.

A fence may open a block, close one, or begin another inside one that was left open (`tagged`).
Which of them it does depends on the fences before it: `fences.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .language_tags import is_known, language_of

_FENCE: Final = re.compile(
    r"^(?P<before>[^`~\n]*+)(?P<marks>`{3,}+|~{3,}+)(?P<info>[^\n]*+)$"
    r"|(?<=[^\s`~])(?P<glued>`{3,}+|~{3,}+)[ \t\r]*+$",
    re.MULTILINE,
)
_LEAD: Final = re.compile(
    r"(?P<quotes>(?:[ \t]{0,3}>){0,9}+)"
    r"(?P<indent>[ \t]{0,40}+)(?P<item>(?:[-*+]|\d{1,9}[.)])[ \t]{1,4}+)?"
)
"""What may stand before a fence: marks of a quotation, white space, the mark of a list."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence; `start` is where a block ends that it closes, `end` where one begins."""

    start: int
    end: int
    marks: str
    info: str = ""
    quotes: int = 0
    indent: str = ""
    opens: bool = False
    closes: bool = False
    tagged: bool = False

    def ends(self, opener: Fence) -> bool:
        """Whether it can end a block that `opener` began."""
        fits = self.marks.startswith(opener.marks) and self.quotes == opener.quotes
        return fits and (self.closes or self.tagged)

    def without_lead(self, lines: list[str]) -> list[str]:
        """The lines of its block without what stands before the fence as well.

        How far they are indented with it, the first line with text tells: some are not at all.
        """
        for _ in range(self.quotes):
            lines = [line.lstrip(" \t").removeprefix(">") for line in lines]
        first = next((line for line in lines if line.strip()), "")
        width = min(len(self.indent), len(first) - len(first.lstrip()))
        blank = " \t" if "\t" in self.indent else " "
        return [line[:width].lstrip(blank) + line[width:] for line in lines]


def fences_of(text: str) -> list[Fence]:
    """All fences, in order."""
    found = (_read(match, len(text)) for match in _FENCE.finditer(text))
    return [fence for fence in found if fence is not None]


def _read(match: re.Match[str], length: int) -> Fence | None:
    """A fence as it stands there; None for marks that are none."""
    after = min(match.end() + 1, length)
    if match["glued"]:
        return Fence(match.start(), after, match["glued"], closes=True)
    marks, info = match["marks"], match["info"].strip()
    if marks[0] == "`" and "`" in info:  # a code span
        return None
    lead = _LEAD.fullmatch(match["before"])
    if lead is None:
        return _after_text(match, after)
    tagged = len(info.split(None, 1)) == 1 or is_known(language_of(info))
    return Fence(
        match.start(),
        after,
        marks,
        info,
        lead["quotes"].count(">"),
        lead["indent"] + " " * len(lead["item"] or ""),
        opens=True,
        closes=not tagged and lead["item"] is None,
        tagged=tagged,
    )


def _after_text(match: re.Match[str], after: int) -> Fence | None:
    """A fence at the end of a line of prose, where it opens, or of code, which it closes."""
    info = match["info"].strip()
    if info and (len(info.split(None, 1)) > 1 or not is_known(language_of(info))):
        return None
    opens = bool(info) or match["before"][-1] in " \t:"
    return Fence(match.start("marks"), after, match["marks"], info, opens=opens, closes=not info)
