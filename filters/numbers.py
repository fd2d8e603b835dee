"""Plain numbers as people write them in answers, read exactly; everything else is left alone.

`read_number` knows integers, thousands, decimals, fractions, mixed numbers, currency signs,
percent and a unit behind (`1,234`, `$18.00`, `2\\frac{1}{2}`, `42元`, `18 dollars`, `60 km/h`).
`same` compares two answers by these alone and may say that it does not know. It says False only
for two clean numbers that no rounding could make equal, so that a symbolic check can follow.

It does not convert units, and does not guess: `1.5 million`, `3:4`, `5 or 6` are no numbers here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .units import is_unit

_LONGEST = 60
"""Characters; a longer text is not a plain number, and a Fraction of it would cost time."""
NEAR, TINY = Fraction(1, 1000), Fraction(1, 100_000)
"""Two numbers further apart than this (relative, absolute) are different however rounded."""

_CURRENCY = "[$¥€£₹]"
_NUMBER = re.compile(
    rf"""
    (?P<sign>[+-]?) \s* (?:{_CURRENCY} \s* (?P<inner_sign>-?) )?
    (?: (?: (?P<whole>\d+) \s* )?
        (?: \\frac \s* \{{ (?P<a1>\d+) \}} \s* \{{ (?P<b1>\d+) \}}
          | \\frac \s* (?P<a2>\d) (?P<b2>\d)
          | (?<!\d) (?P<a3>\d+) \s* / \s* (?P<b3>\d+)
        )
      | (?P<integer> [1-9]\d{{0,2}}(?:,\d{{3}})+ | \d+ )? (?P<decimals>\.\d+)?
    )
    (?P<percent> \s* (?:% | percent(?![a-z])) )?
    (?P<unit> \s* (?:
        \^ \s* (?:\\circ | \{{\s*\\circ\s*\}}) | °
      | {_CURRENCY}
      | \\(?:text|mathrm) \s* \{{ [^{{}}\d\\]* \}}
      | [A-Za-z]{{2,20}} (?:\s+[A-Za-z]{{2,20}}){{0,3}} (?: / \s? [A-Za-z]{{1,20}} )?
      | [\u4e00-\u9fff]{{1,8}}
    ))?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number read from an answer."""

    value: Fraction
    decimal: bool
    """Written with a decimal point, so perhaps rounded."""
    percent: bool
    unit: str
    latex: str
    """The same number without its unit, as LaTeX that has only one reading."""


def read_number(text: str) -> Number | None:
    """The number that a tidied text (`tidy.py`) is, or None if it is anything more or less."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or not is_unit(match["unit"] or ""):
        return None
    above = match["a1"] or match["a2"] or match["a3"]
    below = match["b1"] or match["b2"] or match["b3"]
    digits = (match["integer"] or "").replace(",", "") + (match["decimals"] or "")
    if above:
        value = _fraction(match["whole"], int(above), int(below))
        if value is None:
            return None
        latex = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    elif digits:
        value, latex = Fraction(digits), digits
    else:
        return None
    if (match["sign"] == "-") != (match["inner_sign"] == "-"):
        value, latex = -value, "-" + latex
    percent = match["percent"] is not None
    unit = (match["unit"] or "").strip()
    latex += r"\%" if percent else ""
    return Number(value, match["decimals"] is not None, percent, unit, latex)


def same(key: str, answer: str) -> bool | None:
    """Are two tidied answers equal? None: not for this module to say."""
    if key == answer:
        return bool(key) or None
    first, second = read_number(key), read_number(answer)
    if first is None or second is None or first.percent != second.percent:
        return None
    if first.unit and second.unit and first.unit != second.unit:
        return None
    if first.value == second.value:
        return True
    if not first.decimal and not second.decimal:
        return False
    apart = abs(first.value - second.value)
    surely = NEAR * max(abs(first.value), abs(second.value)) + TINY
    return False if apart > surely else None


def _fraction(whole: str | None, above: int, below: int) -> Fraction | None:
    """`2 1/2` is five halves; `2 3/2` and anything over zero have no plain reading."""
    if below == 0 or (whole and above >= below):
        return None
    return int(whole or 0) + Fraction(above, below)
