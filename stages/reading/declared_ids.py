"""Ids that a file itself declares: the same one twice is told, with the lines of both.

An id in the column `id` (with `copy`, `pair` and `side` beside it, whose rows of one id are
several by intent) says that there is one such row. Ids are compared in NFC: é in one code point
and in two look alike and are not equal. Memory: 24 bytes a row. Equal rows *without* ids are no
concern of this module: they are kept and told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from ...pipeline.sorted_runs import KEY, SortedRuns
from .blocks import LINE, Block, Columns
from .rows import Row

SHOWN: Final = 5
"""Ids that are declared twice are remembered up to here; there may be a million."""
_BESIDE: Final = ("copy", "pair", "side")


@dataclass(frozen=True)
class Twice:
    """An id that was declared before."""

    id: str
    file: str
    line: int
    first_file: str
    first_line: int
    differs: bool
    """Whether the two are equal only once they are normalised."""

    def __str__(self) -> str:
        how = " (equal only in Unicode's form NFC)" if self.differs else ""
        first = f"{self.first_file}:{self.first_line}"
        return f"{self.id!r} at {self.file}:{self.line} and before at {first}{how}"


class DeclaredIds:
    """Remembers the ids of one source, block by block."""

    def __init__(self) -> None:
        self.twice: list[Twice] = []
        """The first `SHOWN` of them."""
        self._files: list[str] = []
        first = {name: pl.col(name).first() for name in ("line", "file", "raw")}
        self._met = SortedRuns(first)

    def add(self, block: Block) -> None:
        """Look at the ids of a block."""
        ids = _ids(block)
        if ids is None or len(self.twice) >= SHOWN:
            return
        if block.file not in self._files[-1:]:
            self._files.append(block.file)
        rows = ids.select(
            "id",
            pl.col("key").hash().alias(KEY),
            pl.col("id").hash().alias("raw"),
            pl.col(LINE).alias("line"),
            pl.lit(len(self._files) - 1, pl.Int64).alias("file"),
        )
        before = self._met.find(rows[KEY]).cast({"line": pl.Int64, "file": pl.Int64})
        self._met.add(rows.drop("id"))
        here = rows.group_by(KEY, maintain_order=True).first().drop("id")
        both = rows.join(here, on=KEY, how="left", maintain_order="left", suffix="_here")
        first = both.hstack(before.rename(lambda name: f"{name}_before")).with_columns(
            pl.coalesce(f"{name}_before", f"{name}_here").alias(f"{name}_first")
            for name in before.columns
        )
        again = (pl.col("line") != pl.col("line_first")) | (pl.col("file") != pl.col("file_first"))
        for row in first.filter(again).head(SHOWN - len(self.twice)).iter_rows(named=True):
            files = self._files[row["file"]], self._files[row["file_first"]]
            differs = row["raw"] != row["raw_first"]
            lines = row["line"], row["line_first"]
            self.twice.append(Twice(row["id"], files[0], lines[0], files[1], lines[1], differs))


def _ids(block: Block) -> pl.DataFrame | None:
    """`LINE`, `id` as text, and `key`: what makes a row one; None where no row has an id."""
    if isinstance(block, Columns):
        frame = block.frame.select(LINE, *({"id", *_BESIDE} & set(block.frame.columns)))
    else:
        rows = [row for row in block.rows if isinstance(row, Row)]
        columns = {name: [_text(row.values.get(name)) for row in rows] for name in ("id", *_BESIDE)}
        numbers = pl.Series(LINE, [row.number for row in rows], dtype=pl.Int64)
        frame = pl.DataFrame(columns, dict.fromkeys(columns, pl.String)).with_columns(numbers)
    if "id" not in frame.columns or isinstance(frame.schema["id"], (pl.List, pl.Struct)):
        return None
    plain = [name for name in _BESIDE if name in frame.columns]
    frame = frame.with_columns(pl.col("id", *plain).cast(pl.String, strict=False))
    key = pl.concat_str(
        pl.col("id").str.normalize("NFC"), *plain, separator="\0", ignore_nulls=True
    )
    return frame.filter(pl.col("id").is_not_null()).with_columns(key=key)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
