"""Preference pairs of one problem's samples: a verified right one and a verified wrong one.

    select:
      samples: traces
      verdicts: verdicts
      keep: {format: 1, language: 0.95}      # what a chosen sample must reach besides
      pairs: {by: math, per_prompt: 2, choose: shortest}

A chosen sample meets `keep` and scores at least `chosen`; a rejected one has a *known* score of at
most `rejected`: unknown is not wrong. The first must be above the second, so no pair has equal
scores. Neither side is empty, and a completion that the token limit cut is no wrong one unless
`cut: keep` asks for it: what it teaches is to be short. The k-th right sample is paired with the
k-th wrong one; the shorter list starts again, until every sample stands in a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field

from ...pipeline.pairs import CHOSEN, PAIR_SCHEMA, REJECTED
from ...pipeline.references import FilterName
from ...pipeline.shards import write_table
from ...pipeline.stage import Config, Context
from ..mixing.reorder import reorder
from .choosing import LENGTH, Order, in_order
from .measures import length_of
from .thresholds import Threshold


class Pairs(Config):
    """How pairs are made."""

    by: FilterName
    """The filter that says right and wrong."""
    chosen: Threshold | None = None
    """Least score of a chosen sample; None: what `keep` says of `by`, or 1."""
    rejected: Threshold = 0.0
    """Highest score of a rejected sample. The scores of a pair differ at least by the distance to
    `chosen`."""
    per_prompt: Annotated[int, Field(ge=1)] = 1
    """Most pairs of one problem."""
    choose: Order = "first"
    """Which samples are taken first, by one rule for both sides; of shortest against any, a student
    would learn the length. Lengths are in characters of the completion, random is drawn by
    seed and id."""
    seed: int = 0
    cut: Literal["leave_out", "keep"] = "leave_out"
    """keep: a wrong sample that the token limit cut may be rejected too."""

    def measures(self) -> dict[str, pl.Expr]:
        """What is asked of each row: how long its completion is, which one, and whether it was cut
        by the token limit."""
        finish = pl.col("generation").struct.field("finish_reason")
        return {
            LENGTH: length_of("completion", "characters"),
            "text": pl.col("completion").hash(),
            "cut": (finish == "length").fill_null(False),
        }

    def least(self, kept: float | None) -> float:
        """The score that a chosen sample must have.

        Args:
            kept: what `keep` says of `by`.

        Raises:
            ValueError: it is said twice, or a pair could have equal scores.
        """
        if kept is not None and self.chosen is not None:
            raise ValueError(f"keep and pairs.chosen both say what {self.by} must be; say it once")
        least = next(score for score in (self.chosen, kept, 1.0) if score is not None)
        if least <= self.rejected:
            raise ValueError(
                f"a chosen sample may score {least:g} and a rejected one {self.rejected:g}; pairs "
                "of equal scores teach nothing. Expected chosen above rejected"
            )
        return least


def make_pairs(index: pl.DataFrame, pairs: Pairs, least: float) -> pl.DataFrame:
    """Pair up the samples of each problem, in the order of the problems.

    Args:
        index: the samples that may stand in pairs, with row, id, prompt, what `Pairs.measures`
            asks, score and said (by `pairs.by`), and reason, null where a sample meets `keep`.
        least: score of a chosen sample.

    Returns:
        The rows `CHOSEN` and `REJECTED` of each pair.
    """
    ordered = in_order(_sides(index, pairs, least).drop_nulls("side"), pairs.choose, pairs.seed)
    ordered = ordered.select("row", "prompt", "side")
    ordered = ordered.with_columns(place=pl.int_range(pl.len()).over("prompt", "side"))
    right, wrong = (_is(side).sum().cast(pl.Int64) for side in (CHOSEN, REJECTED))
    problems = ordered.group_by("prompt").agg(right=right, wrong=wrong, first=pl.col("row").min())
    problems = problems.filter((pl.col("right") > 0) & (pl.col("wrong") > 0)).sort("first")
    number = pl.min_horizontal(pl.max_horizontal("right", "wrong"), pairs.per_prompt)
    made = problems.with_columns(k=pl.int_ranges(0, number)).explode("k")
    for side, count in ((CHOSEN, "right"), (REJECTED, "wrong")):
        of_side = ordered.filter(side=side).select("prompt", "place", pl.col("row").alias(side))
        made = made.with_columns(place=pl.col("k") % pl.col(count))
        made = made.join(of_side, on=["prompt", "place"], how="left", maintain_order="left")
    return made.select(CHOSEN, REJECTED)


def unpaired(index: pl.DataFrame, made: pl.DataFrame, pairs: Pairs, least: float) -> pl.DataFrame:
    """row and reason of the samples that stand in no pair; arguments as of `make_pairs`."""
    alone = (
        pl.when(_is(CHOSEN) & ~_is(REJECTED).any().over("prompt"))
        .then(pl.lit("no_wrong_sample"))
        .when(_is(REJECTED) & ~_is(CHOSEN).any().over("prompt"))
        .then(pl.lit("no_right_sample"))
        .otherwise(pl.lit("pairs_full"))
    )
    sides = _sides(index, pairs, least).with_columns(reason=pl.coalesce("reason", alone))
    used = pl.concat([made[CHOSEN], made[REJECTED]]).unique()
    return sides.filter(~pl.col("row").is_in(used.implode())).select("row", "reason")


def write_pairs(files: Sequence[Path], made: pl.DataFrame, context: Context) -> None:
    """Write the pairs as rows, the chosen sample first."""
    rows = made.select(row=pl.concat_list(CHOSEN, REJECTED)).explode("row")["row"]
    done = 0
    for shard, table in enumerate(reorder(files, rows, context.state / "pairs")):
        count = table.num_rows // 2
        numbers = pl.int_range(done, done + count, eager=True).repeat_by(2).explode()
        sides = pa.array([CHOSEN, REJECTED] * count)
        table = table.append_column("pair", numbers.to_arrow()).append_column("side", sides)
        write_table(context.out / f"part-{shard:05d}.parquet", table.cast(PAIR_SCHEMA))
        done += count
        context.progress.update(done, len(made), phase="pairs")


def pair_facts(index: pl.DataFrame, made: pl.DataFrame) -> dict[str, Any]:
    """How many pairs there are and how long their completions, in characters."""
    lengths = index.select("row", LENGTH)
    mean = {
        side: made.select(row=side).join(lengths, on="row")[LENGTH].mean()
        for side in (CHOSEN, REJECTED)
    }
    return {"pairs": len(made), "rows": 2 * len(made), "mean_length": mean}


def _sides(index: pl.DataFrame, pairs: Pairs, least: float) -> pl.DataFrame:
    """The column `side`, null where `reason` now says why a sample is on neither."""
    index = index.cast({"reason": pl.String, "said": pl.String})
    score, cut = pl.col("score"), pl.col("cut")
    right = (score >= least).fill_null(False) & pl.col("reason").is_null()
    wrong = (score <= pairs.rejected).fill_null(False)
    also_right = wrong & right.any().over("prompt", "text")
    missed = pl.coalesce("reason", "said")
    reasons = (
        (~pl.col("id").is_first_distinct(), pl.lit("repeated")),
        (score.is_null(), pl.lit(f"{pairs.by}_unknown")),
        (~right & ~wrong, missed),
        (pl.col(LENGTH).fill_null(0) == 0, pl.lit("no_completion")),
        (cut if pairs.cut == "leave_out" else cut & right, pl.lit("cut_off")),
        (also_right, pl.lit("also_right")),
    )
    chain = [pl.when(holds).then(reason) for holds, reason in reasons]
    side = pl.when(right).then(pl.lit(CHOSEN)).otherwise(pl.lit(REJECTED))
    return index.with_columns(reason=pl.coalesce(chain), side=side).with_columns(
        side=pl.when(pl.col("reason").is_null()).then("side")
    )


def _is(side: str) -> pl.Expr:
    return (pl.col("side") == side).fill_null(False)
