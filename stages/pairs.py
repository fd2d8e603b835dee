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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from ..pipeline.artifact import Artifact
from ..pipeline.pairs import CHOSEN, PAIR_SCHEMA, REJECTED
from ..pipeline.references import FilterName
from ..pipeline.sample import SAMPLE_SCHEMA
from ..pipeline.shards import ROWS_PER_SHARD, read_table, shard_files, write_table
from ..pipeline.stage import Config, Context, Metrics
from .choosing import Choice, in_order

Threshold = Annotated[float, Field(ge=0, le=1)]


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
    choose: Choice = "first"
    """Which samples are taken first, by one rule for both sides; of shortest against any, a student
    would learn the length. shortest is by code points, random by a hash of seed and id."""
    seed: int = 0
    cut: Literal["leave_out", "keep"] = "leave_out"
    """keep: a wrong sample that the token limit cut may be rejected too."""

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


@dataclass(frozen=True)
class PairsMade:
    """Pairs, and the account of all samples."""

    index: pl.DataFrame
    """The given index; `reason` is null for a sample that stands in a pair."""
    rows: Sequence[tuple[int, int]]
    """Places of the chosen and the rejected sample in the data."""


def make_pairs(index: pl.DataFrame, scores: pl.DataFrame, pairs: Pairs, least: float) -> PairsMade:
    """Pair up the samples of each problem, in the order of the problems.

    Args:
        index: of all samples, with the columns row, id, prompt_id, length, text, cut and reason;
            `reason` is null where a sample meets `keep`.
        scores: the verdicts of `pairs.by` on them, row-aligned: score and reason.
        least: score of a chosen sample.
    """
    index = _with_sides(index, scores, pairs, least)
    rows = list(_paired(in_order(index, pairs.choose, pairs.seed), pairs.per_prompt))
    used = pl.Series(sorted({row for pair in rows for row in pair}), dtype=pl.UInt32)
    alone = (
        pl.when(pl.col("row").is_in(used.implode()))
        .then(None)
        .when(_is(CHOSEN) & ~_is(REJECTED).any().over("prompt_id"))
        .then(pl.lit("no_wrong_sample"))
        .when(_is(REJECTED) & ~_is(CHOSEN).any().over("prompt_id"))
        .then(pl.lit("no_right_sample"))
        .otherwise(pl.lit("pairs_full"))
    )
    return PairsMade(index.with_columns(reason=pl.coalesce("reason", alone)), rows)


def write_pairs(source: Artifact, made: PairsMade, context: Context) -> Metrics:
    """Write the pairs as rows, the chosen sample first; returns counts and mean lengths."""
    samples, places = _used_samples(source, made)
    at_once = ROWS_PER_SHARD // 2
    for shard, start in enumerate(range(0, len(made.rows), at_once)):
        batch = made.rows[start : start + at_once]
        taken = [places[row] for pair in batch for row in pair]
        numbers = [number for number in range(start, start + len(batch)) for _ in range(2)]
        columns = {"pair": numbers, "side": [CHOSEN, REJECTED] * len(batch)}
        rows = samples[taken].hstack(pl.DataFrame(columns))
        write_table(context.out / f"part-{shard:05d}.parquet", rows.to_arrow().cast(PAIR_SCHEMA))
        context.progress.update(start + len(batch), len(made.rows), phase="pairs")
    lengths = made.index["length"]
    return {
        "pairs": len(made.rows),
        "mean_length": {
            side: lengths[[pair[place] for pair in made.rows]].mean()
            for place, side in enumerate((CHOSEN, REJECTED))
        },
    }


def _with_sides(
    index: pl.DataFrame, scores: pl.DataFrame, pairs: Pairs, least: float
) -> pl.DataFrame:
    """The column `side`, null where `reason` now says why a sample is on neither."""
    score, cut = pl.col("score"), pl.col("cut")
    right = (score >= least).fill_null(False) & pl.col("reason").is_null()
    wrong = (score <= pairs.rejected).fill_null(False)
    also_right = wrong & right.any().over("prompt_id", "text")
    missed = pl.coalesce("reason", pl.lit(f"{pairs.by}_") + pl.col("said"))
    reasons = (
        (~pl.col("id").is_first_distinct(), pl.lit("repeated")),
        (score.is_null(), pl.lit(f"{pairs.by}_unknown")),
        (~right & ~wrong, missed),
        (pl.col("length").fill_null(0) == 0, pl.lit("no_completion")),
        (cut if pairs.cut == "leave_out" else cut & right, pl.lit("cut_off")),
        (also_right, pl.lit("also_right")),
    )
    chain = [pl.when(holds).then(reason) for holds, reason in reasons]
    side = pl.when(right).then(pl.lit(CHOSEN)).otherwise(pl.lit(REJECTED))
    return (
        index.with_columns(score=scores["score"], said=scores["reason"])
        .with_columns(reason=pl.coalesce(chain), side=side)
        .with_columns(side=pl.when(pl.col("reason").is_null()).then("side"))
    )


def _is(side: str) -> pl.Expr:
    return (pl.col("side") == side).fill_null(False)


def _paired(ordered: pl.DataFrame, per_prompt: int) -> Iterator[tuple[int, int]]:
    """(chosen, rejected) of all problems that have both, in the order of the problems."""
    sides = {
        side: {
            prompt_id: rows
            for prompt_id, rows in ordered.filter(side=side)
            .group_by("prompt_id")
            .agg("row")
            .iter_rows()
        }
        for side in (CHOSEN, REJECTED)
    }
    for prompt_id in ordered.sort("row")["prompt_id"].unique(maintain_order=True):
        right, wrong = (sides[side].get(prompt_id, []) for side in (CHOSEN, REJECTED))
        if right and wrong:
            for k in range(min(per_prompt, max(len(right), len(wrong)))):
                yield right[k % len(right)], wrong[k % len(wrong)]


def _used_samples(source: Artifact, made: PairsMade) -> tuple[pl.DataFrame, dict[int, int]]:
    """The samples that stand in pairs, and where each row of the data is among them."""
    used = made.index["reason"].is_null()
    frames, start = [], 0
    for file in shard_files(source.path):
        frame = pl.DataFrame(read_table(file, SAMPLE_SCHEMA.names))
        frames.append(frame.filter(used.slice(start, len(frame))))
        start += len(frame)
    rows = used.arg_true().to_list()
    return pl.concat(frames), {row: place for place, row in enumerate(rows)}
