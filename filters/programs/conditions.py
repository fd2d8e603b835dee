"""What an assert asks of a value, decided outside on what the program's process wrote.

    Equals       f(x) == [1, 2]    f(x) is None
    Truth        f(x)              not f(x)
    OneOf        f(x) in (1, 2)
    Compares     f(x) > 0          abs(f(x) - 0.5) < 1e-6
    IsClose      math.isclose(f(x), 0.5, rel_tol=1e-6)

Types are as strict as in `values.py`: what has no number is neither near nor above anything.
`example` is a value that meets the condition, for asking whether a key can be met at all.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeGuard

from .values import Expected, same
from .wires import Bag, Other, Pairs, Plain

Order = Literal["<", "<=", ">", ">="]
ORDERS: Final[dict[Order, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(Protocol):
    """What a value is asked."""

    def met_by(self, got: Plain, tolerance: float) -> bool:
        """Whether a value meets it. `tolerance` is that of `values.same`."""
        ...

    def example(self) -> Plain:
        """A value that meets it."""
        ...


@dataclass(frozen=True, slots=True)
class Equals:
    expected: Expected

    def met_by(self, got: Plain, tolerance: float) -> bool:
        return same(self.expected, got, tolerance)

    def example(self) -> Plain:
        return self.expected.value


@dataclass(frozen=True, slots=True)
class Truth:
    """True as in `if`. An object that has no value counts as true: most are."""

    wanted: bool

    def met_by(self, got: Plain, tolerance: float) -> bool:
        return _is_true(got) is self.wanted

    def example(self) -> Plain:
        return self.wanted


def _is_true(value: Plain) -> bool:
    if isinstance(value, Bag | Pairs):
        return bool(value.items)
    return isinstance(value, Other) or bool(value)


@dataclass(frozen=True, slots=True)
class OneOf:
    options: tuple[Expected, ...]

    def met_by(self, got: Plain, tolerance: float) -> bool:
        return any(same(option, got, tolerance) for option in self.options)

    def example(self) -> Plain:
        return self.options[0].value


@dataclass(frozen=True, slots=True)
class Compares:
    """A number, or its distance from another, is below or above a limit."""

    order: Order
    limit: int | float
    distance_from: int | float | None = None

    def met_by(self, got: Plain, tolerance: float) -> bool:
        if not _is_real(got):
            return False
        try:
            number = got if self.distance_from is None else abs(got - self.distance_from)
        except OverflowError:  # an integer beyond all floats
            return False
        return ORDERS[self.order](number, self.limit)

    def example(self) -> Plain:
        if self.distance_from is not None:
            return self.distance_from
        return self.limit + {"<": -1, "<=": 0, ">": 1, ">=": 0}[self.order]


@dataclass(frozen=True, slots=True)
class IsClose:
    """`math.isclose`."""

    number: int | float
    rel_tol: float = 1e-9
    abs_tol: float = 0.0

    def met_by(self, got: Plain, tolerance: float) -> bool:
        if not _is_real(got):
            return False
        try:
            return math.isclose(got, self.number, rel_tol=self.rel_tol, abs_tol=self.abs_tol)
        except OverflowError:
            return False

    def example(self) -> Plain:
        return self.number


def _is_real(value: Plain) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
