"""The rows that a mixture may be made of, with what each of them counts for.

One frame for each part, and no texts: the id as a number, the place in the shards of all parts,
what the row counts for in the mixture's unit and, where a student is named, its tokens. Rows that
the student would not be trained on are set aside here when tokens are the unit; where samples are,
the student only reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ...pipeline.artifact import Artifact
from ...pipeline.shards import read_table, shard_files
from .lots import ids_as_numbers

TOO_LONG: Final = "too_long"
"""Reason of a row of more than `max_length` tokens."""
SIZE: Final = "size"
"""Column of what a row counts for: 1, or its tokens or loss tokens."""


@dataclass(frozen=True)
class Part:
    """One part of a mixture."""

    name: str
    shards: Sequence[Path]
    first: int
    """Place of its first row among the rows of all parts."""
    rows: pl.DataFrame
    """Columns `ID`, row (place among all parts) and `SIZE`; where a student is named tokens,
    loss_tokens and, of rows that it would not be trained on, reason."""

    @property
    def usable(self) -> pl.DataFrame:
        """The rows that may be drawn."""
        return self.rows.filter(pl.col(SIZE).is_not_null())

    @property
    def unusable(self) -> pl.DataFrame:
        """Places of the other rows, with the reason."""
        if "reason" not in self.rows.columns:
            return pl.DataFrame(schema={"row": pl.Int64, "reason": pl.String})
        return self.rows.filter(pl.col(SIZE).is_null()).select("row", "reason")

    @property
    def have(self) -> int:
        """What it holds in the unit."""
        return int(self.rows[SIZE].sum())

    @property
    def refused(self) -> dict[str, int]:
        """Rows that the student would not be trained on, by reason."""
        reasons = self.rows["reason"].drop_nulls().value_counts().sort("reason")
        return dict(reasons.iter_rows())


def read_parts(
    artifacts: Mapping[str, Artifact],
    counts: Mapping[str, Sequence[Path]],
    unit: str,
    max_length: int | None,
) -> list[Part]:
    """All parts, in the order of `artifacts`.

    Args:
        counts: files of `counting.py` by part; empty where no student is named.
    """
    parts = []
    first = 0
    for name, artifact in artifacts.items():
        shards = shard_files(artifact.path)
        numbers = (pl.Series(read_table(shard, ["id"]).column("id")) for shard in shards)
        rows = pl.concat([ids_as_numbers(ids) for ids in numbers], rechunk=True).to_frame()
        places = pl.int_range(first, first + len(rows), dtype=pl.Int64)
        rows = rows.with_columns(row=places)
        if files := counts.get(name):
            rows = rows.hstack(_tokens(files, max_length))
        parts.append(Part(name, shards, first, rows.with_columns(_size(unit).alias(SIZE))))
        first += len(rows)
    return parts


def _tokens(files: Sequence[Path], max_length: int | None) -> pl.DataFrame:
    """tokens, loss_tokens and reason."""
    counts = pl.DataFrame(read_table(files, ["tokens", "loss_tokens", "reason"]))
    if max_length is None:
        return counts
    too_long = pl.when(pl.col("tokens") > max_length).then(pl.lit(TOO_LONG))
    return counts.with_columns(reason=pl.coalesce(too_long, "reason"))


def _size(unit: str) -> pl.Expr:
    """What a row counts for; null where it cannot be used."""
    if unit == "samples":
        return pl.lit(1, dtype=pl.Int8)
    return pl.when(pl.col("reason").is_null()).then(unit)
