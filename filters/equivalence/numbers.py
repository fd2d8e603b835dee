r"""Plain numbers as people write them in answers, read exactly; everything else is left alone.

`read_number` knows integers, thousands, decimals (repeating ones too), fractions, mixed numbers,
scientific notation, currency signs, scale words, percent and a unit behind: `1,234`, `$18.00`,
`2\frac{1}{2}`, `0.\overline{3}`, `1.5\times 10^{3}`, `42元`, `5万`, `1.2 million dollars`.
`same` compares two of them. Its rules, where usage differs:

* 50% is 1/2, and also 50 (whoever is asked for a percentage writes either), but only above 1%:
  0.5% is never 0.5.
* A decimal is the number it says. Only with six digits or more that count behind the point it
  also stands for what it is the rounding (or the cut) of: 0.333333 is 1/3, 0.333 is not.
* A unit on one side only is ignored; two known units are converted, or differ.

It does not guess: `3:4`, `5 or 6` are no numbers here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .units import Unit, is_unit, read_unit

LONGEST = 80
"""Characters; a longer text is not a plain number, and a Fraction of it would cost time."""
ENOUGH_DIGITS = 6
"""Digits behind the point (leading zeros not counted) from which a decimal may be a rounding."""

_CURRENCY = r"(?:US|HK|A|C)?[$¥€£₹]|RMB ?|USD ?"
_GROUPED = r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?: \d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}"
_POINTED = r"[1-9]\d{0,2}(?:\.\d{3})++(?:,\d+|(?<=\.\d{3}\.\d{3}))"
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_SCALES |= {"trillion": 10**12, "dozens": 12, "dozen": 12, "百": 10**2, "千": 10**3, "万": 10**4}
_SCALES |= {"百万": 10**6, "千万": 10**7, "亿": 10**8, "十亿": 10**9, "万亿": 10**12}
_SCALE_WORDS = "|".join(sorted(_SCALES, key=len, reverse=True))
_NUMBER = re.compile(
    rf"""
    (?P<sign>[+-]?) \s? (?: (?P<currency>{_CURRENCY}) \s? (?P<inner_sign>-?) )?
    (?: (?: (?P<whole>\d+) \s? )?
        (?: \\frac \s? \{{ \s? (?P<a1>-?\d+) \s? \}} \s? \{{ \s? (?P<b1>\d+) \s? \}}
          | \\frac \s? (?P<a2>\d) \s? (?P<b2>\d)
          | (?<!\d) (?P<a3>\d+) \s? / \s? (?P<b3>\d+)
        )
      | (?P<pointed> {_POINTED} )
      | (?P<integer> {_GROUPED.replace(" ", "[ ]")} | \d+ )?
        (?: \. (?P<decimals>\d*)
            (?: \\overline \s? \{{ (?P<r1>\d+) \}} | \\dot \s? \{{? (?P<r2>\d) \}}?
              | \( (?P<r3>\d+) \) | \s? (?P<dots> \.\.\. | \\[lc]?dots ) )?
        )?
        (?: [eE] (?P<e1>[+-]?\d{{1,3}})
          | \s? (?: \\times | \\cdot | [x*] ) \s? 10 \s? \^ \s?
            (?: \{{ \s? (?P<e2>[+-]?\d{{1,3}}) \s? \}} | (?P<e3>-?\d{{1,3}}) ) (?!\d)
        )?
        (?: \s? (?: \\text \s? \{{ \s? )? (?P<scale>{_SCALE_WORDS}) (?: (?=[^a-z米克瓦卡]) | $ )
            (?: \s? \}} )? )?
    )
    (?P<percent> \s? (?: % | \\?% | (?:percent|pct|percentage)(?![a-z])
        | \\text \s? \{{ \s? (?:percent|%) \s? \}} ) )?
    (?P<unit> \s? (?:
        \^\\circ \s? (?: [CF] | \\text \s? \{{ [CF] \}} )? | [℃℉¢]
      | [$¥€£₹]
      | \\(?:text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox) \s? \{{ [^{{}}\d\\]* (?: \^ [23] )? \}}
        (?: \s? / \s? \\text \s? \{{ [^{{}}\d\\]* \}} )? (?: \s? \^ \s? \{{? [23] \}}? )?
      | [A-Za-z]{{2,20}} \.? (?: [ ] [A-Za-z]{{1,20}} ){{0,4}}
        (?: \s? / \s? [A-Za-z]{{1,20}} )? (?: \^ \{{? [23] \}}? )?
      | [ ]? [mgs] / (?:s|min|h|day|m|L|ml|cm) (?: \^ \{{? [23] \}}? )?
      | (?P<letter> [ ] [mgshL] (?: \^ \{{? [23] \}}? )? )
      | [\u4e00-\u9fff]{{1,8}} (?: / [\u4e00-\u9fff]{{1,4}} )?
    ))?
    """,
    re.VERBOSE,
)
_RATE = re.compile(r" ?[mgs]/")


@dataclass(frozen=True, slots=True)
class Number:
    """A number read from an answer."""

    value: Fraction
    places: int | None
    """Digits written behind a decimal point; None for integers and fractions."""
    percent: bool
    unit: Unit | None

    @property
    def rounded_at(self) -> int | None:
        """Digits behind the point of `proportion`."""
        return self.places + 2 if self.percent and self.places is not None else self.places

    @property
    def proportion(self) -> Fraction:
        return self.value / 100 if self.percent else self.value


@lru_cache(maxsize=8192)
def read_number(text: str, letters: bool = False) -> Number | None:
    """The number that a tidied text (`tidy.py`) is, or None if it is anything more or less.

    Args:
        letters: read `5 m` as five metres, which is right only beside another plain number.
    """
    match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if match is None or not (letters if match["letter"] else _is_unit(match["unit"] or "")):
        return None
    value = _fraction(match) if match["b1"] or match["b2"] or match["b3"] else _decimal(match)
    if value is None:
        return None
    if (match["sign"] == "-") != (match["inner_sign"] == "-"):
        value = -value
    exact = ("r1", "r2", "r3", "dots", "scale", "e1", "e2", "e3")
    rounded = match["decimals"] is not None and not any(match[name] for name in exact)
    places = len(match["decimals"]) if rounded else None
    percent = match["percent"] is not None
    unit = read_unit(_currency(match) or match["unit"] or "")
    return Number(value, places, percent, unit)


def same(key: str, answer: str) -> bool | None:
    """Are two tidied answers equal as plain numbers? None: they are not both plain numbers."""
    if key == answer:
        return bool(key) or None
    first, second = read_number(key), read_number(answer)
    if first is None or second is None:
        return None
    return same_numbers(first, second)


def same_numbers(first: Number, second: Number) -> bool:
    """Do two numbers say the same?"""
    one, two = first.proportion, second.proportion
    if first.unit and second.unit and first.unit.dimension and second.unit.dimension:
        if first.unit.dimension == second.unit.dimension:
            one, two = one * first.unit.size, two * second.unit.size
        elif first.unit.counted != second.unit.counted or not _one_is_undivided(first, second):
            return False
    if agree(one, first.rounded_at, two, second.rounded_at):
        return True
    bare = first.value == second.value and first.percent != second.percent
    return bare and abs(first.value) > 1


def agree(one: Fraction, places: int | None, two: Fraction, other_places: int | None) -> bool:
    """Equal, or one is a decimal with enough digits that the other rounds to."""
    if one == two:
        return True
    return stands_for(one, places, two) or stands_for(two, other_places, one)


def stands_for(decimal: Fraction, places: int | None, exact: Fraction) -> bool:
    """Is a decimal with so many places the rounding, or the cut, of an exact number?"""
    if places is None or places < ENOUGH_DIGITS or (decimal < 0) != (exact < 0):
        return False
    written, scaled = abs(decimal) * 10**places, abs(exact) * 10**places
    if len(str(written.numerator)) < ENOUGH_DIGITS:
        return False
    return written in (math.floor(scaled), math.floor(scaled + Fraction(1, 2)))


def _one_is_undivided(first: Number, second: Number) -> bool:
    units = [each.unit.dimension for each in (first, second) if each.unit]
    return sum("/" in dimension for dimension in units) == 1


def _fraction(match: re.Match[str]) -> Fraction | None:
    """`2 1/2` is five halves; `2 3/2` and anything over zero have no plain reading."""
    above = int(match["a1"] or match["a2"] or match["a3"])
    below = int(match["b1"] or match["b2"] or match["b3"])
    whole = match["whole"]
    if below == 0 or (whole and not 0 < above < below):
        return None
    return int(whole or 0) + Fraction(above, below)


def _decimal(match: re.Match[str]) -> Fraction | None:
    """The digits of a number that is no fraction, with its repetition, exponent and scale."""
    if match["pointed"]:
        return Fraction(match["pointed"].replace(".", "").replace(",", "."))
    whole = re.sub("[, ]", "", match["integer"] or "")
    decimals = match["decimals"] or ""
    if not whole and not decimals and not (match["r1"] or match["r2"] or match["r3"]):
        return None
    value = Fraction(f"{whole or 0}.{decimals}" if decimals else whole or "0")
    repeated = match["r1"] or match["r2"] or match["r3"]
    if match["dots"]:
        repeated = _repetition(decimals)
        if repeated is None:
            return None
    if repeated:
        value += Fraction(int(repeated), (10 ** len(repeated) - 1) * 10 ** len(decimals))
    exponent = int(match["e1"] or match["e2"] or match["e3"] or 0)
    return value * Fraction(10) ** exponent * _SCALES.get(match["scale"] or "", 1)


def _repetition(decimals: str) -> str | None:
    """What goes on behind `0.1666...`: the shortest ending that stands there twice or more."""
    for length in range(1, len(decimals) // 2 + 1):
        if decimals[-length:] == decimals[-2 * length : -length]:
            return decimals[-length:] if length > 1 or decimals[-1:] * 2 == decimals[-2:] else None
    return None


def _is_unit(text: str) -> bool:
    return bool(_RATE.match(text)) or is_unit(text)


def _currency(match: re.Match[str]) -> str | None:
    """The sign in front: `US$` is `$`."""
    written = (match["currency"] or "").strip()
    return written if written.isalpha() else written[-1:] or None
