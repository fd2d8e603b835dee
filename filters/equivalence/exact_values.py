"""The exact value of an expression, a fraction; irrational and very large ones are refused.

Rational operations, whole powers, roots of perfect powers, factorials and binomials. Everything
else raises `NotExact`, and `approximate_values.py` takes over. No number grows beyond `MOST_BITS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias

from .formula import Expression, Symbol

MOST_BITS = 100_000
"""Of an exact power; larger ones are evaluated approximately."""
_LARGEST_FACTORIAL = 5000


class NotExact(ArithmeticError):
    """The value is no fraction, or too large a one."""


class NoValue(ArithmeticError):
    """There is no value, or none that all agree on."""


Point: TypeAlias = Mapping[str, Fraction]


def exact_value(expression: Expression, point: Point | None = None) -> Fraction:
    """The value as a fraction.

    Raises:
        NotExact: it is irrational, or too large.
        NoValue: division by zero and the like.
    """
    return _exact(expression, point or {})


def _exact(expression: Expression, where: Point) -> Fraction:
    if isinstance(expression, Fraction):
        return expression
    if isinstance(expression, Symbol):
        return where[expression.name]
    calculate = _EXACT.get(expression.name)
    if calculate is None:
        raise NotExact(expression.name)
    return calculate(*(_exact(each, where) for each in expression.args))


def _divide(above: Fraction, below: Fraction) -> Fraction:
    if not below:
        raise NoValue("division by zero")
    return above / below


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator > 1:
        root = _root(base, Fraction(exponent.denominator))
        return _power(root, Fraction(exponent.numerator))
    if not base and exponent <= 0:
        raise NoValue("a power of zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * bits > MOST_BITS:
        raise NotExact("a large power")
    return base ** int(exponent)


def _root(base: Fraction, degree: Fraction) -> Fraction:
    """The root of a perfect power."""
    if degree.denominator > 1 or not 1 < degree < 64 or base < 0:
        raise NotExact("a root")
    found = Fraction(_whole_root(base.numerator, int(degree)))
    return found / _whole_root(base.denominator, int(degree))


def _whole_root(number: int, degree: int) -> int:
    if degree == 2:
        root = math.isqrt(number)
    elif number.bit_length() > 1000:
        raise NotExact("a large root")
    else:
        root = round(number ** (1 / degree))
    if root**degree != number:
        raise NotExact("an irrational root")
    return root


def _factorial(number: Fraction) -> Fraction:
    if number.denominator > 1 or not 0 <= number <= _LARGEST_FACTORIAL:
        raise NotExact("a factorial")
    return Fraction(math.factorial(int(number)))


def _binomial(above: Fraction, below: Fraction) -> Fraction:
    whole = above.denominator == below.denominator == 1
    if not whole or not 0 <= below <= above <= _LARGEST_FACTORIAL * 5:
        raise NotExact("a binomial")
    return Fraction(math.comb(int(above), int(below)))


_EXACT: dict[str, Callable[..., Fraction]] = {
    "add": lambda *terms: sum(terms, Fraction(0)),
    "mul": lambda one, two: one * two,
    "div": _divide,
    "neg": lambda one: -one,
    "pow": _power,
    "sqrt": lambda one: _root(one, Fraction(2)),
    "root": _root,
    "abs": abs,
    "floor": lambda one: Fraction(math.floor(one)),
    "ceiling": lambda one: Fraction(math.ceil(one)),
    "factorial": _factorial,
    "binomial": _binomial,
}
