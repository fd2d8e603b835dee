"""The rule `keep`: least scores, what is done with unknown ones, and what a threshold met.

A score at the threshold is kept. Filters are looked at in the order of their names, and the first
one that leaves a sample out gives the reason; a recipe's order is not identity, so it must not
show in the data. How many samples met each threshold is told of all samples, whichever filter
left them out, with the scores in tenths: so that one sees where to put the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import polars as pl
from pydantic import Field

from .scores import Scores

Threshold = Annotated[float, Field(ge=0, le=1)]
Unknown: TypeAlias = Literal["leave_out", "keep"]


def meet(
    keep: Mapping[str, float],
    unknown: Unknown | Mapping[str, Unknown],
    scores: Scores,
    ids: pl.Series,
) -> tuple[pl.Series, dict[str, Any]]:
    """The reason to leave out each of all samples, or null; and by filter how it was met.

    Args:
        keep: least score by filter.
        ids: of all samples, as numbers.
    """
    reasons = pl.Series([None], dtype=pl.Categorical).new_from_index(0, len(ids))
    told = {}
    for name in sorted(keep):
        verdicts = scores.read(name, ids)
        told[name] = _met(verdicts["score"], keep[name])
        kept = unknown if isinstance(unknown, str) else unknown.get(name, "leave_out")
        rejected = verdicts.select(_rejection(name, keep[name], kept)).to_series()
        reasons = pl.select(pl.coalesce(reasons, rejected)).to_series()
    return reasons, told


def _rejection(name: str, least: float, unknown: Unknown) -> pl.Expr:
    score = pl.col("score")
    below = pl.when(score < least).then("reason").otherwise(None)
    if unknown == "keep":
        return below
    nothing_said = pl.lit(f"{name}_unknown", pl.Categorical)
    return pl.when(score.is_null()).then(nothing_said).otherwise(below)


def _met(score: pl.Series, least: float) -> dict[str, Any]:
    """How the scores of all samples stand to a threshold."""
    known = score.drop_nulls()
    at_least = int((known >= least).sum())
    return {
        "least": least,
        "at_least": at_least,
        "below": len(known) - at_least,
        "unknown": score.null_count(),
        "highest": known.max(),
        "scores": in_tenths(known),
    }


def in_tenths(values: pl.Series) -> dict[str, int]:
    """How many numbers of 0..1 lie in each tenth that holds any; its lower end belongs to it, and
    exact 0 and 1 are apart."""
    value = pl.col("value")
    tenth = (value * 10).floor().clip(0, 9).cast(pl.Int64)
    named = pl.when(value == 1).then(11).when(value == 0).then(0).otherwise(tenth + 1)
    counts = dict(values.alias("value").to_frame().group_by(named.alias("bin")).len().iter_rows())
    names = ["0", *(f"{n / 10:.1f}-{(n + 1) / 10:.1f}" for n in range(10)), "1"]
    return {name: counts[bin_] for bin_, name in enumerate(names) if bin_ in counts}


def unmet(told: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence on thresholds that no sample reaches; empty where there is none."""
    never = [
        f"no sample scores {facts['least']:g} on {name!r} ({_highest(facts)})"
        for name, facts in told.items()
        if not facts["at_least"]
    ]
    return "; ".join(never)


def _highest(facts: Mapping[str, Any]) -> str:
    if facts["highest"] is None:
        return "all scores are unknown"
    return f"the highest score is {facts['highest']:g}"
