"""Arithmetic of weights: how much there can be at most, and who gets how much of it.

Exact fractions and whole numbers; a cap takes from one part and gives to the others in proportion
to their weights. What the numbers count, and what is asked of whom, is `amounts.py`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction


def largest_share(
    have: Mapping[str, int],
    weights: Mapping[str, Fraction],
    caps: Mapping[str, int],
    repeat: int = 1,
    *,
    enough: bool = False,
) -> int:
    """The most that the parts with a weight can come to with nothing used more than `repeat` times.

    It never grows beyond the size at which the part richest for its weight is used up once (to
    repeat everything only makes an epoch longer), unless `enough` asks for all there could be.
    A part that reaches its cap lets the others go on.

    Args:
        have: what there is of each part.
    """
    there = {name: have[name] * repeat for name in weights}
    usable = {name: min(there[name], caps.get(name, there[name])) for name in weights}
    scarce = [
        there[name] / weight
        for name, weight in weights.items()
        if caps.get(name, math.inf) > there[name]
    ]
    used_up = usable
    if scarce and not enough:
        used_up = {name: min(have[name], usable[name]) for name in weights}
    richest = max(used_up[name] / weight for name, weight in weights.items())
    scale: Fraction = min([*scarce, richest])
    reached = (min(weight * scale, Fraction(usable[name])) for name, weight in weights.items())
    return math.floor(sum(reached))


def share(total: int, weights: Mapping[str, Fraction], caps: Mapping[str, int]) -> dict[str, int]:
    """`total` in proportion to the weights; what is more than a cap goes to the others.

    It comes to less than `total` where every part is capped.
    """
    shared: dict[str, int] = {}
    uncapped = dict(weights)
    while uncapped:
        left = total - sum(shared.values())
        scale = left / sum(uncapped.values())
        full = {
            name: caps[name]
            for name, weight in uncapped.items()
            if name in caps and weight * scale >= caps[name]
        }
        if not full:
            return shared | apportion(left, uncapped)
        shared |= full
        uncapped = {name: each for name, each in uncapped.items() if name not in full}
    return shared


def apportion(total: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole numbers in proportion to the weights, `total` in all.

    By largest remainders, and equal ones by name.
    """
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: math.floor(amount) for name, amount in exact.items()}
    by_remainder = sorted(weights, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
