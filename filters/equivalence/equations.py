"""Do two equations, or two inequalities, have the same solutions? Told from their values.

`f = 0` and `g = 0` are the same if f and g differ by a constant factor, or if, at random values of
all other variables, each one's roots in some variable (where it is at most quadratic) are roots of
the other. An inequality is compared with a region by asking both about many numbers. None means
undecided.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, TypeAlias

from .approximate_values import Approximately
from .exact_values import NotExact, NoValue, exact_value
from .formula import Call, Expression, symbols
from .regions import Interval, contains
from .values import point

Sides: TypeAlias = tuple[Expression, Expression]
Conditions: TypeAlias = tuple[tuple[Expression, str], ...]
_POINTS = 6
_STEPS = (Fraction(1, 1000), Fraction(1, 7), Fraction(5, 3))
_WIDE = (1, 2, 3, 5, 9, 13, 17, 24, 33, 47, 66, 99, 155, 333, 999, 5003, 70001)
_TINY = 10.0**-30


def same_equation(first: Sides | None, second: Sides | None) -> bool | None:
    """Do two equations, each a left and a right side, have the same solutions?"""
    if first is None or second is None:
        return None
    one, two = _difference(first), _difference(second)
    if _constant_factor(one, two) is not None:
        return True
    found = _implies(one, two), _implies(two, one)
    return False if False in found else None if None in found else True


def same_inequality(first: Conditions, second: Conditions) -> bool | None:
    """Are two inequalities against zero the same? False where a point tells them apart."""
    if len(first) == len(second) == 1:
        (one, sign), (two, other_sign) = first[0], second[0]
        factor = _constant_factor(one, two)
        if factor is not None:
            return sign == (other_sign if factor > 0 else _turned(other_sign))
    names = frozenset().union(*(symbols(one) for one, _ in (*first, *second)))
    for number in range(4 * _POINTS):
        where = point(names, number, whole=bool(number % 2))
        held = _holding(first, where), _holding(second, where)
        if None not in held and held[0] != held[1]:
            return False
    return None


def is_solved_by(
    conditions: Conditions, variable: str | None, intervals: tuple[Interval, ...]
) -> bool | None:
    """Are exactly these numbers the solutions? Asked at the bounds, between them and far away."""
    names = frozenset().union(*(symbols(one) for one, _ in conditions))
    if len(names) != 1 or (variable is not None and variable not in names):
        return None if len(names) != 1 else False
    name = next(iter(names))
    for value in _probes(intervals):
        held = _holding(conditions, {name: value})
        if held is not None and held != any(contains(part, value) for part in intervals):
            return False
    return True


def _probes(intervals: tuple[Interval, ...]) -> list[Fraction]:
    """The bounds, what is close to them, what is between them, and a wide range of others."""
    bounds = {end for part in intervals for end in (part.low, part.high) if end is not None}
    near_bounds = [end + side * step for end in bounds for side in (1, -1) for step in _STEPS]
    ordered = sorted(bounds)
    between = [(one + two) / 2 for one, two in itertools.pairwise(ordered)]
    wide = [Fraction(sign * number, 7) for number in _WIDE for sign in (1, -1)]
    return [*ordered, *near_bounds, *between, *wide, Fraction(0)]


def _holding(conditions: Conditions, where: dict[str, Fraction]) -> bool | None:
    """Do all conditions hold at a point? None where something has no real value."""
    calculator = Approximately(where, "10")
    for difference, sign in conditions:
        try:
            value = calculator.value(difference)
        except NoValue:
            return None
        if value.imag:
            return None
        real = 0 if abs(value) < _TINY else value.real
        if not {">": real > 0, ">=": real >= 0, "!=": real != 0}[sign]:
            return False
    return True


def _difference(sides: Sides) -> Expression:
    return Call("add", (sides[0], Call("neg", (sides[1],))))


def _turned(sign: str) -> str:
    """Under a negative factor; all conditions are written with `>`."""
    return sign if sign == "!=" else "never"


def _values(expressions: Iterable[Expression], where: dict[str, Fraction]) -> list[Fraction] | None:
    try:
        return [exact_value(each, where) for each in expressions]
    except (NotExact, NoValue):
        return None


def _constant_factor(one: Expression, two: Expression) -> Fraction | None:
    """one / two, if it is the same everywhere and not zero."""
    names = symbols(one) | symbols(two)
    factors = []
    for number in range(_POINTS):
        values = _values((one, two), point(names, number))
        if values is not None and (values[0] or values[1]):
            if not values[0] or not values[1]:
                return None
            factors.append(values[0] / values[1])
    return factors[0] if len(factors) >= 3 and len(set(factors)) == 1 else None


def _implies(one: Expression, two: Expression) -> bool | None:
    """Is every root of `one`, in a variable where they can be found, a root of `two`?"""
    for name in sorted(symbols(one)):
        found = [_roots_shared(one, two, name, number) for number in (0, 1, 3)]
        if None not in found:
            return all(found)
    return None


def _roots_shared(one: Expression, two: Expression, name: str, number: int) -> bool | None:
    """Are the roots in one variable, at one point of the others, roots of `two`?"""
    where = point(symbols(one) | symbols(two), number, whole=False)
    roots = _roots(one, where, name)
    if not roots:
        return None
    calculator = Approximately(where, "10")
    for root in roots:
        try:
            rest = calculator.value_at(two, name, root)
            scale = abs(calculator.value_at(two, name, root + 1)) + 1
        except NoValue:
            return None
        if abs(rest) > _TINY * scale:
            return False
    return True


def _roots(expression: Expression, where: dict[str, Fraction], name: str) -> list[Any]:
    """The roots in one variable if the expression is a polynomial of degree one or two in it."""
    at = []
    for step in range(5):
        values = _values((expression,), {**where, name: Fraction(step)})
        if values is None:
            return []
        at.append(values[0])
    second = at[2] - 2 * at[1] + at[0]
    if any(at[i + 2] - 2 * at[i + 1] + at[i] != second for i in (1, 2)):
        return []
    a, c = second / 2, at[0]
    b = at[1] - a - c
    calculator = Approximately({}, "10")
    if not a:
        return [calculator.number(-c / b)] if b else []
    root = calculator.root(b * b - 4 * a * c)
    return [(sign * root - calculator.number(b)) / calculator.number(2 * a) for sign in (1, -1)]
