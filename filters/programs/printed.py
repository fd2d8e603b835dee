r"""Is what a program printed what it should have printed?

    lines   white space at the end of a line and empty lines at the end of the text do not count
    exact   every character counts

All else counts in both: the number of lines, white space inside of lines and before them, the case
of letters. Lines end with \n or \r\n. What is no UTF-8 is equal to nothing.

With a tolerance, two numbers in the same place are compared as numbers if one of them is written
with a point or an exponent. Integers are exact, whatever the tolerance: 1000001 is not 1000000.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal

Whitespace = Literal["lines", "exact"]

_BLANK: Final = " \t\r\f\v"
"""White space of ASCII: what an editor would show as nothing at the end of a line."""
_TOKENS: Final = re.compile(r"([ \t]+)")
_NUMBER: Final = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d++", re.ASCII)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a printed text first differs: the number of the line from 1, and the line, if any."""

    line: int
    got: str | None
    lines: int
    """How many lines were printed."""


def difference(
    printed: bytes, expected: str, whitespace: Whitespace = "lines", float_tolerance: float = 0.0
) -> Difference | None:
    """The first difference of what was printed; None where it is as expected.

    Args:
        float_tolerance: relative or absolute, whichever allows more.
    """
    try:
        text = printed.decode("utf-8")
    except UnicodeDecodeError as error:
        lines, number = printed.split(b"\n"), printed.count(b"\n", 0, error.start)
        return Difference(number + 1, lines[number].decode("utf-8", "replace"), len(lines))
    got, wanted = _lines(text, whitespace), _lines(expected, whitespace)
    for number, (line, other) in enumerate(zip_longest(got, wanted), start=1):
        if not _equal(line, other, float_tolerance):
            return Difference(number, line, len(got))
    return None


def _lines(text: str, whitespace: Whitespace) -> list[str]:
    """The lines as they are compared; of an exact text, what ends a line is a part of it."""
    lines = text.split("\n")
    if whitespace == "exact":
        return lines
    lines = [line.rstrip(_BLANK) for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _equal(got: str | None, wanted: str | None, tolerance: float) -> bool:
    if got == wanted:
        return True
    if got is None or wanted is None or tolerance == 0:
        return False
    tokens, others = _TOKENS.split(got), _TOKENS.split(wanted)
    return len(tokens) == len(others) and all(
        token == other or _close(token, other, tolerance)
        for token, other in zip(tokens, others, strict=True)
    )


def _close(token: str, other: str, tolerance: float) -> bool:
    """Whether two tokens are numbers, not both integers, and near enough."""
    if not (_NUMBER.fullmatch(token) and _NUMBER.fullmatch(other)):
        return False
    if _INTEGER.fullmatch(token) and _INTEGER.fullmatch(other):
        return False
    value, wanted = float(token), float(other)
    if math.isinf(value) or math.isinf(wanted):
        return False
    return math.isclose(value, wanted, rel_tol=tolerance, abs_tol=tolerance)
