"""Are two expressions equal? Decided by their values: exact ones, or to fifty digits.

A rational expression is evaluated with fractions at random points, where two different ones hardly
ever agree (a chance of about one in 10,000 a point). Roots, logarithms and trigonometry are
evaluated with mpmath to 50 digits, again at several points if there are variables; where
cancellation leaves nothing to compare, to 200. `log` without a base may be either of the two.

None means undecided: a value is missing (a pole, an infinity, a function that is not known here).
"""

from __future__ import annotations

import math
import zlib
from fractions import Fraction

from .approximate_values import MANY_DIGITS, Approximately
from .exact_values import NotExact, NoValue, Point, exact_value
from .formula import Call, Expression, symbols

EQUAL, DIFFERENT = 35, 25
"""Values are equal if they agree to so many digits, and different if they do not to so few."""


def same_value(first: Expression, second: Expression) -> bool | None:
    """Are two expressions equal wherever both have a value?"""
    if first == second:
        return True
    if _infinite(first) or _infinite(second):
        return False if _infinite(first) != _infinite(second) else None
    names = symbols(first) | symbols(second)
    try:
        return _same_exactly(first, second, names)
    except NotExact:
        pass
    bare_log = _has_call(first, "log", 1) or _has_call(second, "log", 1)
    bases = ("10", "e") if bare_log else ("10",)
    found = [_same_approximately(first, second, names, base) for base in bases]
    return True if True in found else None if None in found else False


def real_value(expression: Expression) -> Fraction | None:
    """A constant as a fraction: exact, or within 1e-45 of its size; None if it is not real."""
    try:
        return exact_value(expression)
    except NotExact:
        pass
    except (NoValue, KeyError):
        return None
    try:
        value = Approximately({}, "10").value(expression)
    except (NoValue, KeyError):
        return None
    if not hasattr(value, "man_exp") or not math.isfinite(float(value)):
        return None
    mantissa, exponent = value.man_exp
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def point(names: frozenset[str], number: int, whole: bool = True) -> dict[str, Fraction]:
    """A value for each variable, always the same for the same names; every third has signs."""
    found = {}
    for name in names:
        random = zlib.crc32(f"{name}/{number}".encode("utf-8", "replace"))
        value = Fraction(random % 99_991 + 1009) if whole else Fraction(random % 1999 + 211, 1013)
        found[name] = -value if number % 3 == 2 and random >> 16 & 1 else value
    if number % 3 == 2 and names and all(value > 0 for value in found.values()):
        name = min(names)
        found[name] = -found[name]
    return found


def _infinite(expression: Expression) -> int:
    """1 or -1 for an infinite constant, 0 for everything else."""
    if isinstance(expression, Call) and expression.name == "neg":
        return -_infinite(expression.args[0])
    return int(isinstance(expression, Call) and expression.name == "infty")


def _has_call(expression: Expression, name: str, count: int | None = None) -> bool:
    """Is there an operation of this name (with so many arguments) anywhere?"""
    if not isinstance(expression, Call):
        return False
    here = expression.name == name and count in (None, len(expression.args))
    return here or any(_has_call(each, name, count) for each in expression.args)


def _same_exactly(first: Expression, second: Expression, names: frozenset[str]) -> bool | None:
    if not names:
        try:
            return exact_value(first) == exact_value(second)
        except NoValue:
            return None
    compared = 0
    for number in range(6):
        try:
            where = point(names, number)
            if exact_value(first, where) != exact_value(second, where):
                return False
            compared += 1
        except NoValue:
            continue
    return True if compared >= 3 else None


def _same_approximately(
    first: Expression, second: Expression, names: frozenset[str], base: str
) -> bool | None:
    """At points of either sign; without variables once.

    Where a value is not real and nobody speaks of complex numbers, a difference only shows that
    the point lies outside of the common domain: ln(ab) is ln a + ln b where both are defined.
    """
    complex_meant = _has_call(first, "i") or _has_call(second, "i") or not names
    compared = 0
    for number in range(12) if names else (0,):
        where = point(names, number, whole=False)
        try:
            equal, both_real = _agree(first, second, where, base)
        except NoValue:
            continue
        if equal is None:
            return None
        if not equal and (both_real or complex_meant):
            return False
        compared += equal
        if compared == 4:
            break
    return True if compared >= (3 if names else 1) else None


def _agree(
    first: Expression, second: Expression, where: Point, base: str
) -> tuple[bool | None, bool]:
    """Do two values agree at one point, and are both real?"""
    short = Approximately(where, base)
    one, two = short.value(first), short.value(second)
    both_real = not (one.imag or two.imag)
    if max(abs(one), abs(two)) < 10.0**-20:  # perhaps only what a cancellation left
        long = Approximately(where, base, MANY_DIGITS)
        precise = long.value(first), long.value(second)
        zeros = [
            abs(now) <= abs(before) * 10.0**-100
            for now, before in zip(precise, (one, two), strict=True)
        ]
        if any(zeros):
            return all(zeros), both_real
        one, two = precise
    difference, size = abs(one - two), max(abs(one), abs(two))
    if difference <= size * short.ten**-EQUAL:
        return True, both_real
    return (False if difference > size * short.ten**-DIFFERENT else None), both_real
