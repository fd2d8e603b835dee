"""Histograms: numbers counted into bins whose edges a person would choose.

Bins are equally wide, with edges at 1, 2 or 5 times a power of ten; where the largest number is
far above the rest (lengths of thoughts are), each bin is twice as wide as the one before. Unknown
values are counted apart and are in no bin. Scores of filters have fixed bins.
Drawing is `show_histograms.py`.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

MAX_BINS = 20
SKEW = 12
"""From this ratio of the largest number to the median on the bins double."""


def histogram(values: pl.Series) -> dict[str, Any]:
    """Summary and bins of numbers.

    Returns:
        `known`, `unknown` (null or not a number), `least`, `median`, `mean`, `p95`, `most`,
        `whole` (all are whole numbers) and `bins` of `from`, `to` (not included; None in the
        last: it has no end) and `rows`.
    """
    known = values.cast(pl.Float64, strict=False).drop_nulls().drop_nans()
    known = known.filter(known.is_finite())
    found: dict[str, Any] = {"known": len(known), "unknown": len(values) - len(known)}
    if not len(known):
        return {**found, "bins": []}
    low, middle, high = (float(known.quantile(q) or 0.0) for q in (0.0, 0.5, 1.0))
    whole = bool((known == known.round()).all())
    edges = _edges(low, middle, high, whole)
    return {
        **found,
        "least": low,
        "median": middle,
        "mean": float(known.mean()),  # type: ignore[arg-type]
        "p95": float(known.quantile(0.95, "nearest") or 0.0),
        "most": high,
        "whole": whole,
        "bins": _bins(known, edges),
    }


def _bins(known: pl.Series, edges: list[float]) -> list[dict[str, Any]]:
    places = pl.Series(edges, dtype=pl.Float64).search_sorted(known, side="right") - 1
    counts = dict(places.value_counts().iter_rows())
    ends = [*edges[1:], None]
    bins = [
        {"from": start, "to": end, "rows": counts.get(n, 0)}
        for n, (start, end) in enumerate(zip(edges, ends, strict=True))
    ]
    return bins[min(counts) :]


def score_figures(frame: pl.LazyFrame) -> dict[str, Any]:
    """Figures of a column `score` of numbers from 0 to 1.

    Returns:
        `mean_score` of the known ones, `unknown`, and `scores`: rows in ten bins of a tenth each,
        and those of exactly 1 in an eleventh.
    """
    tenth = (pl.col("score") * 10).floor().cast(pl.Int8).alias("bin")
    counted = frame.group_by(tenth).agg(pl.len(), pl.col("score").sum()).sort("bin").collect()
    counts = {number: rows for number, rows, _ in counted.iter_rows()}
    unknown = counts.pop(None, 0)
    known = sum(counts.values())
    return {
        "mean_score": counted["score"].sum() / known if known else None,
        "unknown": unknown,
        "scores": [counts.get(number, 0) for number in range(11)],
    }


def _edges(low: float, middle: float, high: float, whole: bool) -> list[float]:
    if low >= 0 and middle > 0 and high > SKEW * middle:
        return _doubling(middle, high)
    if low == high:
        return [low]
    step = _nice((high - low) / MAX_BINS)
    step = max(step, 1.0) if whole else step
    first = math.floor(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def _doubling(middle: float, high: float) -> list[float]:
    """From 0 and a power of two well below the median up to the largest number."""
    first = 2.0 ** (math.floor(math.log2(middle)) - 6)
    count = min(math.floor(math.log2(high / first)) + 1, 40)
    return [0.0, *(first * 2.0**power for power in range(count))]


def _nice(step: float) -> float:
    """The next larger of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
