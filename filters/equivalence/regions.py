"""Sets of real numbers as sorted, disjoint intervals, so that equal sets are equal however written.

Bounds are fractions, exact or right to 45 digits (`values.real_value`); two bounds closer than
`NEAR` relative to their size are the same. None stands for infinity at either end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

NEAR = Fraction(1, 10**35)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`; None is infinite, and infinite ends are open."""

    low: Fraction | None
    high: Fraction | None
    low_open: bool
    high_open: bool

    @property
    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        if near(self.low, self.high):
            return self.low_open or self.high_open
        return self.low > self.high


EVERYTHING = Interval(None, None, True, True)


def near(one: Fraction, two: Fraction) -> bool:
    """The same bound, but for the digits that were not calculated."""
    return one == two or abs(one - two) <= NEAR * max(abs(one), abs(two), Fraction(1, 10**10))


def contains(part: Interval, value: Fraction) -> bool:
    """Is a number in an interval?"""
    return not _overlap(part, single(value)).empty


def single(value: Fraction) -> Interval:
    return Interval(value, value, False, False)


def union(parts: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted, merged where they touch, empty ones left out."""
    merged: list[Interval] = []
    for part in sorted((one for one in parts if not one.empty), key=_start):
        if merged and _touch(merged[-1], part):
            merged[-1] = _joined(merged[-1], part)
        else:
            merged.append(part)
    return tuple(merged)


def intersection(first: Iterable[Interval], second: Iterable[Interval]) -> tuple[Interval, ...]:
    """What belongs to both."""
    second = tuple(second)
    return union(_overlap(one, two) for one in first for two in second)


def without(whole: tuple[Interval, ...], points: Iterable[Fraction]) -> tuple[Interval, ...]:
    """A set less single numbers."""
    for point in points:
        below, above = Interval(None, point, True, True), Interval(point, None, True, True)
        whole = intersection(whole, (below, above))
    return whole


def equal(first: tuple[Interval, ...], second: tuple[Interval, ...]) -> bool:
    """Are two unions (as `union` gives them) the same set?"""
    return len(first) == len(second) and all(
        one.low_open == two.low_open
        and one.high_open == two.high_open
        and _same_bound(one.low, two.low)
        and _same_bound(one.high, two.high)
        for one, two in zip(first, second, strict=True)
    )


def _same_bound(one: Fraction | None, two: Fraction | None) -> bool:
    return one is two if one is None or two is None else near(one, two)


def _start(part: Interval) -> tuple[bool, Fraction, bool]:
    return part.low is not None, part.low or Fraction(0), part.low_open


def _touch(left: Interval, right: Interval) -> bool:
    if left.high is None or right.low is None:
        return True
    if near(left.high, right.low):
        return not (left.high_open and right.low_open)
    return left.high > right.low


def _joined(left: Interval, right: Interval) -> Interval:
    if left.high is None or (right.high is not None and right.high < left.high):
        return left
    if right.high is not None and near(left.high, right.high):
        return Interval(left.low, left.high, left.low_open, left.high_open and right.high_open)
    return Interval(left.low, right.high, left.low_open, right.high_open)


def _overlap(one: Interval, two: Interval) -> Interval:
    low, low_open = _inner(one.low, one.low_open, two.low, two.low_open, lower=True)
    high, high_open = _inner(one.high, one.high_open, two.high, two.high_open, lower=False)
    return Interval(low, high, low_open, high_open)


def _inner(
    one: Fraction | None, one_open: bool, two: Fraction | None, two_open: bool, lower: bool
) -> tuple[Fraction | None, bool]:
    """The bound that leaves less."""
    if one is None or two is None:
        return (two, two_open) if one is None else (one, one_open)
    if near(one, two):
        return one, one_open or two_open
    return (one, one_open) if (one > two) == lower else (two, two_open)
