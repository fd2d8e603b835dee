"""What a mixture is made of: samples, tokens and loss tokens by source, task, language and length.

Shards are added as they are written, so nothing is read twice. Tokens are None where no student is
named: unknown, not 0. A row without a language or a source is counted as `unknown`. Lengths are
tokens where they are known, else characters, in buckets from one power of two to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl
import pyarrow as pa

GROUPS: Final = ("source", "task", "language", "length")
UNITS: Final = ("samples", "tokens", "loss_tokens")
UNKNOWN: Final = "unknown"
MOST_VALUES: Final = 100
"""Values of a group that are told one by one; a source may have as many as it has rows."""

Counts = dict[str, int]
_POWERS: Final = pl.Series([1 << power for power in range(62)], dtype=pl.Int64)


class Report:
    """Sums over the shards of a mixture.

    Args:
        counted: whether tokens are known.
    """

    def __init__(self, counted: bool) -> None:
        self._counted = counted
        self._units = UNITS if counted else UNITS[:1]
        self._sums: dict[str, dict[str, Counts]] = {name: {} for name in GROUPS}

    def add(self, shard: pa.Table, tokens: pl.DataFrame) -> None:
        """Count a shard.

        Args:
            shard: of the mixture.
            tokens: where they are known, columns tokens and loss_tokens row-aligned with it;
                null for a row that cannot be rendered.
        """
        rows = pl.DataFrame(shard.select(["source", "task", "language"]))
        rows = rows.hstack(tokens.select(self._units[1:]))
        length = rows["tokens"] if self._counted else characters(shard)
        rows = rows.with_columns(length=buckets(length))
        for name in GROUPS:
            self._add(name, rows)

    def _add(self, name: str, rows: pl.DataFrame) -> None:
        value = pl.when(pl.col(name) != "").then(name).fill_null(UNKNOWN).alias("value")
        sums = (pl.len(), *(pl.col(unit).sum() for unit in self._units[1:]))
        for found, *counts in rows.group_by(value).agg(*sums).iter_rows():
            known = self._sums[name].setdefault(found, dict.fromkeys(self._units, 0))
            for unit, count in zip(self._units, counts, strict=True):
                known[unit] += count

    def total(self) -> dict[str, int | None]:
        """All rows."""
        return _told(_sum(self._sums["task"].values()))

    def facts(self) -> dict[str, dict[str, dict[str, int | None]]]:
        """By group and value, as JSON values."""
        return {
            name: {value: _told(counts) for value, counts in _most(sums).items()}
            for name, sums in self._sums.items()
        }


def _told(counts: Mapping[str, int]) -> dict[str, int | None]:
    return {unit: counts.get(unit) for unit in UNITS}


def characters(shard: pa.Table) -> pl.Series:
    """Characters (code points) of prompt and completion."""
    rows = pl.DataFrame(shard.select(["prompt", "completion"]))
    turns = pl.element().struct.field("content").str.len_chars()
    asked = pl.col("prompt").list.eval(turns).list.sum()
    answered = pl.col("completion").str.len_chars().fill_null(0)
    return rows.select((asked + answered).cast(pl.Int64)).to_series()


def buckets(lengths: pl.Series) -> pl.Series:
    """`1024-2047` for each length; null stays null."""
    least = _POWERS.gather(_POWERS.search_sorted(lengths.fill_null(1).clip(1), side="right") - 1)
    told = pl.format("{}-{}", "least", pl.col("least") * 2 - 1)
    known = pl.when(pl.col("length").is_not_null()).then(told)
    return pl.DataFrame({"length": lengths, "least": least}).select(known).to_series()


def _most(sums: Mapping[str, Counts]) -> dict[str, Counts]:
    """The values with most samples, by name; what is beyond `MOST_VALUES` as one."""
    ranked = sorted(sums, key=lambda value: (-sums[value]["samples"], value))
    told = {value: sums[value] for value in sorted(ranked[:MOST_VALUES])}
    if rest := ranked[MOST_VALUES:]:
        told[f"{len(rest)} others"] = _sum([sums[value] for value in rest])
    return told


def _sum(sums: Collection[Counts]) -> Counts:
    units = next(iter(sums))
    return {unit: sum(counts[unit] for counts in sums) for unit in units}
