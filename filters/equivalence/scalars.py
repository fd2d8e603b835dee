"""Are two single values equal: plain numbers, formulas, with their units, degrees and roundings?

Two plain numbers are left to `numbers.py`. Otherwise formulas are compared by value (`values.py`),
in one unit if both have one. A decimal with enough digits equals what it is the rounding of, and
degrees equal the radians that they are.
"""

from __future__ import annotations

import re

from .forms import Scalar
from .formula import Call, Expression, symbols
from .numbers import read_number, same_numbers, stands_for
from .values import real_value, same_value

_IN_BASE = re.compile(r"(\d+)_\{?\d+\}?")
_DIGITS = re.compile(r"\d+")
_LETTER_BEHIND = re.compile(r"(\d)([mgshL](?:\^|$))")


def same_scalar(key: Scalar, answer: Scalar) -> bool | None:
    """Is the answer's value that of the key?"""
    if key.text == answer.text:
        return True
    if (digits := _IN_BASE.fullmatch(key.text)) and _DIGITS.fullmatch(answer.text):
        return digits[1] == answer.text  # asked for digits in a base, not for their value
    if key.number and answer.number:
        return same_numbers(key.number, answer.number)
    if _as_lettered(key, answer):
        return True
    return _scalars(key, answer)


def _scalars(first: Scalar, second: Scalar) -> bool | None:
    one, two = _in_base_units(first, second)
    if one is None or two is None:
        return False
    found = same_value(one, two)
    if found is False and (_rounds(first, second) or _rounds(second, first)):
        return True
    if found is False and _angle(first) != _angle(second):
        return same_value(_radians(first), _radians(second))
    return found


def _in_base_units(first: Scalar, second: Scalar) -> tuple[Expression | None, Expression | None]:
    """The values to compare, in one unit; None if the units cannot be of one thing."""
    one, two = _proportion(first), _proportion(second)
    if not (first.unit and second.unit and first.unit.dimension and second.unit.dimension):
        return one, two
    if first.unit.dimension != second.unit.dimension:
        return None, None
    return Call("mul", (first.unit.size, one)), Call("mul", (second.unit.size, two))


def _proportion(scalar: Scalar) -> Expression:
    return scalar.number.proportion if scalar.number else scalar.tree


def _rounds(decimal: Scalar, other: Scalar) -> bool:
    """Is one a decimal with enough digits that the other rounds to?"""
    number = decimal.number
    if number is None or number.places is None or other.number or symbols(other.tree):
        return False
    value = real_value(other.tree)
    return value is not None and stands_for(number.proportion, number.rounded_at, value)


def _as_lettered(key: Scalar, answer: Scalar) -> bool:
    """`5 m` are five metres beside a plain 5, though elsewhere it may be a product.

    So is `5m` beside a key that is a plain number: no variable was asked for.
    """
    first = key.number or read_number(key.text, letters=True)
    second = answer.number
    if second is None and first is not None:
        spaced = _LETTER_BEHIND.sub(r"\1 \2", answer.text) if key.number else answer.text
        second = read_number(spaced, letters=True)
    return first is not None and second is not None and same_numbers(first, second)


def _angle(scalar: Scalar) -> bool:
    """Is it in degrees?"""
    in_unit = scalar.unit is not None and scalar.unit.dimension == "angle"
    return in_unit or (isinstance(scalar.tree, Call) and scalar.tree.name == "degree")


def _radians(scalar: Scalar) -> Expression:
    if scalar.unit is not None and scalar.unit.dimension == "angle":
        return Call("degree", (scalar.tree,))
    return scalar.tree
