"""The rule `pass_rate`: problems that are neither too easy nor too hard for the teacher.

    pass_rate: {by: math, least: 0.1, most: 0.9, correct: 1}

A problem's pass rate is the share of its judged samples that score at least `correct`. Unknown
scores are left out of it, and the rate of a problem with fewer than `samples` known ones is
unknown. All samples of the step count, also those that another rule leaves out, and a row that a
mixture repeats counts once. The band is inclusive at both ends. Without `least` and `most` nothing
is left out: the rate is then there for `balance: {by: difficulty}` and `order: easiest`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import polars as pl
from pydantic import Field, model_validator

from ...pipeline.references import FilterName
from ...pipeline.stage import Config
from .thresholds import Threshold, in_tenths

BANDS: Final = ("easy", "medium", "hard")
"""Difficulty in thirds: at least 2 of 3 samples right, at least 1 of 3, fewer."""


class PassRate(Config):
    """Which share of a problem's samples may be right."""

    by: FilterName
    """The filter that says right and wrong."""
    least: Threshold | None = None
    """Problems below are too hard."""
    most: Threshold | None = None
    """Problems above are too easy."""
    correct: Threshold = 1.0
    """Least score of a right sample."""
    samples: Annotated[int, Field(ge=1)] = 1
    """How many samples of a problem must have been judged for its rate to be known."""
    unknown: Literal["leave_out", "keep"] = "leave_out"
    """What a band does with problems whose rate is unknown."""

    @property
    def has_band(self) -> bool:
        return self.least is not None or self.most is not None

    @model_validator(mode="after")
    def _band_is_one(self) -> PassRate:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(
                f"pass_rate.least is {self.least:g} and most {self.most:g}: no problem is in that "
                "band. least is the lower end (harder), most the upper one (easier)"
            )
        if "unknown" in self.model_fields_set and not self.has_band:
            raise ValueError("pass_rate.unknown belongs to a band: say least, most or both")
        return self


def with_rates(index: pl.DataFrame, score: pl.Series, pass_rate: PassRate) -> pl.DataFrame:
    """The index with the columns rate (null: unknown) and difficulty (`BANDS`, null: unknown).

    Args:
        score: by `pass_rate.by`, of all rows of the index.
    """
    one_each = index.select("id", "prompt").with_columns(score=score).unique("id", keep="first")
    known = pl.col("score").is_not_null()
    right = pl.col("score") >= pass_rate.correct
    counts = one_each.group_by("prompt").agg(judged=known.sum(), right=right.sum())
    enough = pl.col("judged") >= pass_rate.samples
    # Whole numbers: two of three is two thirds, however it is divided.
    thirds = pl.col("right").cast(pl.Int64) * 3
    band = (
        pl.when(thirds >= 2 * pl.col("judged").cast(pl.Int64))
        .then(pl.lit(BANDS[0]))
        .when(thirds >= pl.col("judged").cast(pl.Int64))
        .then(pl.lit(BANDS[1]))
        .otherwise(pl.lit(BANDS[2]))
        .cast(pl.Categorical)
    )
    rates = counts.select(
        "prompt",
        rate=pl.when(enough).then(pl.col("right") / pl.col("judged")),
        difficulty=pl.when(enough).then(band),
    )
    return index.join(rates, on="prompt", how="left", maintain_order="left")


def outside_band(standing: pl.DataFrame, pass_rate: PassRate) -> pl.DataFrame:
    """row and reason of all; the reason is null inside the band."""
    rate, reasons = pl.col("rate"), []
    if pass_rate.unknown == "leave_out":
        reasons.append((rate.is_null(), "pass_rate_unknown"))
    if pass_rate.least is not None:
        reasons.append((rate < pass_rate.least, "too_hard"))
    if pass_rate.most is not None:
        reasons.append((rate > pass_rate.most, "too_easy"))
    chain = [pl.when(holds).then(pl.lit(name, pl.Categorical)) for holds, name in reasons]
    return standing.select("row", reason=pl.coalesce(chain))


def rate_facts(index: pl.DataFrame) -> dict[str, Any]:
    """How many problems have which pass rate, in tenths; of all samples' problems."""
    rates = index.unique("prompt")["rate"]
    known = rates.drop_nulls()
    return {"problems": len(rates), "unknown": rates.null_count(), "rates": in_tenths(known)}
