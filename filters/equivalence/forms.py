"""The kinds of answers there are, as data: what `read_form.py` reads and `equality.py` compares.

A form says how an answer is built (a number, a set, an interval, an equation, words), so that
comparing starts from what the two sides are and not from how they are spelled. Leaves are
`Scalar`s, whose formula `values.py` evaluates. Nothing here reads text or decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .formula import Expression
from .numbers import Number
from .regions import Interval
from .units import Unit

OPEN, CLOSED = "()", "[]"
HALF_OPEN = ("(]", "[)")
LIST, SET, ANGLED = "", "{}", "<>"


@dataclass(frozen=True, slots=True)
class Words:
    """A text answer in one spelling: `east`, `是`."""

    text: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: a formula, the plain number that it is (if it is one), and a unit behind it."""

    text: str
    tree: Expression
    number: Number | None = None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """Several answers: a list without brackets (in no order), or in brackets of one kind."""

    brackets: str
    items: tuple[Form, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of entries; a vector has one row or one column."""

    rows: tuple[tuple[Form, ...], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """Numbers between bounds: an interval, a union, or an inequality of one variable."""

    variable: str | None
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = …`: a name for the value, or an equation between expressions.

    `left` is None where only its text is known (`f(2)`, `\\angle A`), `rights` are what stands
    behind the equals signs, of which the last is the claim.
    """

    name: str
    left: Expression | None
    rights: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A constant written in several ways: `\\frac{1}{3} \\approx 0.333`, `2+3 = 5`."""

    members: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Inequality:
    """Conditions that all hold, each a difference and how it compares with zero: `>`, `>=`, `!=`.

    Only where no variable stands alone; `x < 3` is a `Region`.
    """

    conditions: tuple[tuple[Expression, str], ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`3:4`, `1:2:3`, or what looks like it: `12:30`."""

    parts: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in minutes; `half` is am, pm or empty."""

    minutes: int
    half: str


Form: TypeAlias = (
    Words | Scalar | Items | Matrix | Region | Equation | Chain | Inequality | Ratio | Clock
)
