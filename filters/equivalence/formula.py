"""A mathematical expression as a small tree: fractions, variables, and operations on them.

`formula_reader.py` makes it from text, `values.py` evaluates it. A tree is a value: equal trees are
equal expressions, unequal ones may be. Constants (`pi`, `e`, `i`, `infty`) are calls without
arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


class Unclear(ValueError):
    """The text has no reading, or more than one."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable; Greek letters and indices are part of its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on expressions: `add`, `mul`, `div`, `pow`, `neg`, `sqrt`, `sin` …"""

    name: str
    args: tuple[Expression, ...] = ()


Expression: TypeAlias = Fraction | Symbol | Call


def symbols(expression: Expression) -> frozenset[str]:
    """The names of all variables."""
    if isinstance(expression, Symbol):
        return frozenset({expression.name})
    if isinstance(expression, Call):
        return frozenset().union(*map(symbols, expression.args))
    return frozenset()


def is_linear_in_one(expression: Expression) -> bool:
    """Does one variable occur, once, under nothing but sums, products and denominators' bars?"""
    if isinstance(expression, Symbol):
        return True
    if not isinstance(expression, Call) or expression.name not in ("add", "neg", "mul", "div"):
        return False
    inner = [argument for argument in expression.args if symbols(argument)]
    if expression.name == "div" and symbols(expression.args[1]):
        return False
    return len(inner) == 1 and is_linear_in_one(inner[0])
