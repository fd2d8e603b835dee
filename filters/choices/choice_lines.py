"""Answers that are a line of their own: `B`, `(B) 42 cm`, `**B. Paris**` above an explanation.

A line that holds nothing but letters is the answer wherever it stands, and the last one counts. A
line that begins with a letter and goes on ("B. Paris") is so only as the first or the last line.
Lines whose letters go up (A …, B …, C …) are a list of the options and say nothing.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Final

from .choice_letters import Letters, Named

_LINE: Final = re.compile(
    r"^[^\w(\[<\n]*+(?:(?:(?:final\s+)?(?:answer|option|choice)|选项|答案|选)[ \t]*+:?[ \t]*+)?"
    r"(?=[(\[<]?\s?[A-Za-z])",
    re.MULTILINE | re.IGNORECASE,
)
_NOTHING: Final = re.compile(r"[\s.,;:!)\]]*?$", re.MULTILINE)
_LABEL: Final = re.compile(r"\s{0,4}[.):、,]|\s{1,4}(?:[-–—]\s|\(|(?:because|since|as)\b)")


@dataclass(frozen=True, slots=True)
class _Line:
    named: Named
    alone: bool
    begin: int


def answer_line(letters: Letters, start: int) -> Named | None:
    """The line that is the answer, if there is one."""
    lines = _lines(letters, start)
    text = letters.plain
    free = [line for line, listed in zip(lines, _listed(lines), strict=True) if not listed]
    if alone := [line for line in free if line.alone]:
        return alone[-1].named
    first = [line for line in free if not text[start : line.begin].strip()]
    last = [line for line in free if "\n" not in text[line.named.end :].rstrip()]
    return next((line.named for line in (*first, *last)), None)


def _lines(letters: Letters, start: int) -> list[_Line]:
    """All lines that begin with letters of options, as labels or alone."""
    found: list[_Line] = []
    for begin in _LINE.finditer(letters.plain, start):
        named = letters.read(begin.end())
        if named is None:
            continue
        alone = _NOTHING.match(letters.plain, named.end) is not None
        if alone or named.enclosed or _LABEL.match(letters.plain, named.end):
            found.append(_Line(named, alone, begin.start()))
    return found


def _listed(lines: list[_Line]) -> list[bool]:
    """For each line whether it is one of several whose letters go up."""
    names = [min(line.named.letters) for line in lines]
    up = [False, *(one < other for one, other in itertools.pairwise(names)), False]
    return [up[index] or up[index + 1] for index in range(len(lines))]
