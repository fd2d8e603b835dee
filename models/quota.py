"""Enough is enough: when sampling of a problem may stop, and what may be concluded then.

With `until: {accepted: k, samples: n}` a problem's dataset is the shortest prefix of sample indices
that holds k accepted samples, or all n. It is a function of the samples and never of the order in
which they arrived.

Stopping at the k-th success biases the naive share of successes upwards. The unbiased estimate for
such a plan (Girshick, Mosteller and Savage 1946; for k successes in N draws (k-1)/(N-1), Haldane
1945) counts the ways to the stopping point that begin with a success; `pass_rate` gives it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from ..pipeline.stage import Config


class Until(Config):
    """A problem has enough with `accepted` accepted samples, or when `samples` are drawn."""

    accepted: Annotated[int, Field(ge=1)]
    samples: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _can_be_met(self) -> Until:
        if self.accepted > self.samples:
            raise ValueError(
                f"accepted {self.accepted} can never be met by samples {self.samples}; "
                "raise samples or lower accepted"
            )
        return self


def prefix_length(accepted: Iterable[bool], quota: int | None) -> int:
    """How many samples belong to the dataset: up to the quota-th accepted one, else all."""
    found = length = 0
    for is_accepted in accepted:
        length += 1
        found += is_accepted
        if found == quota:
            break
    return length


def pass_rate(accepted: int, drawn: int, quota: int | None) -> float | None:
    """Unbiased estimate of one problem's chance of success; None where nothing was drawn.

    Args:
        accepted: successes among the `drawn` samples of the prefix.
        quota: the number of successes that stopped the sampling; None where nothing stops it.
    """
    if drawn == 0:
        return None
    if quota is None or accepted < quota:
        return accepted / drawn  # all n were drawn: every order of them was possible
    if quota == 1:
        return 1.0 if drawn == 1 else 0.0
    return (quota - 1) / (drawn - 1)


def pass_at_1(solved: Sequence[int], samples: int) -> dict[str, float | None]:
    """`pass@1` and its standard error from the solved samples of each problem; None without any.

    Args:
        samples: completions drawn for each problem.
    """
    shares = [count / samples for count in solved]
    mean = sum(shares) / len(shares) if shares else None
    return {"pass@1": mean, "pass@1_se": standard_error(shares)}


def standard_error(values: Sequence[float]) -> float | None:
    """Standard error of the mean over problems, each a cluster of samples; None below two.

    Samples of one problem are not independent, so the problem is the unit (Miller 2024,
    "Adding Error Bars to Evals", clustered standard errors with equal clusters).
    """
    count = len(values)
    if count < 2:
        return None
    mean = sum(values) / count
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)
