"""Rows to look at, wherever they lie: a lazy polars frame to search, and a way to fetch rows whole.

A look so reads the columns it needs and no more, and memory holds one block of rows. Parquet is
read here, Arrow in `arrow_rows.py` and text in `text_rows.py`; `sources.py` opens any path.
Nothing is written, judged or repaired.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet

INDEX = "\0row"
"""Name of the row number while a look is under way; no column of data has a NUL in its name."""
MAX_BROKEN_KEPT = 1000
"""Broken lines that are kept with their text; all are counted."""


@dataclass
class BrokenLines:
    """Lines that are no row, counted by reason; the first of them with file, line and text."""

    reasons: dict[str, int] = field(default_factory=dict)
    first: list[dict[str, Any]] = field(default_factory=list)

    def add(self, file: Path, line: int, reason: str, text: str) -> None:
        """Count one line."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.first) < MAX_BROKEN_KEPT:
            self.first.append({"file": file.name, "line": line, "reason": reason, "text": text})


@dataclass(frozen=True)
class Rows:
    """Rows that can be searched by column and fetched whole by number."""

    frame: pl.LazyFrame
    fetch: Callable[[Sequence[int]], list[dict[str, Any]]]
    """Whole rows by number, from 0, in the order of the rows."""
    total: int | None
    """How many rows; None: only the first of them were read, and these are the frame."""
    parts: Sequence[pl.LazyFrame] = ()
    """The frames that make up `frame`, where a few of them can be read alone."""
    part_rows: Sequence[int] = ()
    """How many rows each of them has."""
    broken: BrokenLines = field(default_factory=BrokenLines)

    def matching(self, condition: pl.Expr) -> Sequence[int]:
        """Numbers of the rows for which the condition holds."""
        frame = self.frame.with_row_index(INDEX).filter(condition).select(INDEX)
        return frame.collect(engine="streaming")[INDEX].to_list()

    def columns(self) -> dict[str, str]:
        """Type of each column, by name; nested ones as their fields: `[{role, content}]`."""
        return {name: type_name(kind) for name, kind in self.frame.collect_schema().items()}


@contextlib.contextmanager
def readable(*paths: Path) -> Iterator[None]:
    """A block that reads rows of these: what lies there damaged is told as that.

    Raises:
        StepFailed: a file cannot be read although its head can.
    """
    try:
        yield
    except (pl.exceptions.ComputeError, pa.ArrowException, OSError) as error:
        named = " or ".join(map(str, dict.fromkeys(paths)))
        raise StepFailed(
            f"{named} cannot be read: {first_line(error)}. Expected whole files: `potstill verify` "
            "says which are not those that were written; fetch or build these again."
        ) from error


def is_damage(error: pl.exceptions.PolarsError) -> bool:
    """Whether a file is not what its format asks for: no fault of what was asked."""
    return "File out of specification" in str(error)


def type_name(kind: pl.DataType) -> str:
    """A column's type in a word."""
    if isinstance(kind, pl.Struct):
        return "{" + ", ".join(field.name for field in kind.fields) + "}"
    if isinstance(kind, (pl.List, pl.Array)):
        inner = kind.inner
        return f"[{type_name(inner if isinstance(inner, pl.DataType) else inner())}]"
    return str(kind)


def scan(files: Sequence[Path]) -> pl.LazyFrame:
    """Parquet files as one lazy frame.

    Raises:
        RequestError: a file is not whole parquet, or its columns are not those of the first; the
            message names it.
    """
    return _scan(files, _footers(files))


def _footers(files: Sequence[Path]) -> list[pq.FileMetaData]:
    """What pyarrow reads of each file's end: a third of what polars takes for it."""
    footers = []
    for file in files:
        try:
            footers.append(pq.read_metadata(file))
        except (pa.ArrowException, OSError) as error:
            raise RequestError(
                f"{file} cannot be read as parquet: {first_line(error)}. Expected a whole "
                "file; fetch or build it again."
            ) from error
    return footers


def _scan(files: Sequence[Path], footers: Sequence[pq.FileMetaData]) -> pl.LazyFrame:
    for file, footer in zip(files, footers, strict=True):
        if not footer.schema.equals(footers[0].schema):
            first, other = (pl.Schema(pl.read_parquet_schema(each)) for each in (files[0], file))
            same_columns(files[0], first, file, other)
    return pl.scan_parquet(list(files), glob=False)


def same_columns(one: Path, its: pl.Schema, other: Path, schema: pl.Schema) -> None:
    """Refuse two files of one dataset whose columns differ."""
    odd = [name for name in {**its, **schema} if its.get(name) != schema.get(name)]
    if odd:
        told = [f"{n} ({its.get(n, 'missing')} and {schema.get(n, 'missing')})" for n in odd[:3]]
        raise RequestError(
            f"{one} and {other} do not have the same columns: {', '.join(told)}. "
            "Look at one file at a time."
        )


def parquet_rows(files: Sequence[Path]) -> Rows:
    """The rows of parquet files, in order; of those fetched only their own files are read."""
    footers = _footers(files)
    frame = _scan(files, footers)
    parts = [pl.scan_parquet(file, glob=False) for file in files]
    part_rows = [footer.num_rows for footer in footers]
    ends = list(itertools.accumulate(part_rows))

    def fetch(numbers: Sequence[int]) -> list[dict[str, Any]]:
        found, start = [], 0
        for part, end in zip(parts, ends, strict=True):
            own = [number - start for number in numbers if start <= number < end]
            if own:
                found += chosen_rows(part, own)
            start = end
        return found

    return Rows(frame, fetch, ends[-1] if ends else 0, parts, part_rows)


def lazy_rows(frame: pl.LazyFrame) -> Rows:
    """Rows of a lazy frame whose order is stable."""
    total = frame.select(pl.len()).collect(engine="streaming").item()
    return Rows(frame, lambda numbers: chosen_rows(frame, numbers), int(total))


def chosen_rows(frame: pl.LazyFrame, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of a lazy frame by number, in its order."""
    chosen = frame.with_row_index(INDEX).filter(pl.col(INDEX).is_in(list(numbers)))
    return chosen.drop(INDEX).collect(engine="streaming").to_dicts()


def blocks_frame(
    blocks: Callable[[Sequence[str]], Iterator[pl.DataFrame]], schema: pl.Schema
) -> pl.LazyFrame:
    """A lazy frame over blocks of rows that are read anew for each search.

    Args:
        blocks: gives the blocks, in order, with the columns named.
    """

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for block in blocks(columns or schema.names()):
            block = block if limit is None else block.head(limit)
            limit = None if limit is None else limit - len(block)
            yield block if predicate is None else block.filter(predicate)
            if limit == 0:
                return

    return register_io_source(source, schema=schema)


def with_verdicts(frame: pl.LazyFrame, sets: Mapping[str, VerdictSet]) -> pl.LazyFrame:
    """The frame with `<filter>_score` and `<filter>_reason` beside its `id`."""
    for name, found in sets.items():
        verdicts = scan(shard_files(found.path)).select(
            "id",
            pl.col("score").alias(f"{name}_score"),
            pl.col("reason").alias(f"{name}_reason"),
        )
        frame = frame.join(verdicts, on="id", how="left", maintain_order="left")
    return frame


def first_line(error: BaseException) -> str:
    """What an error of a library says, without its notes."""
    line = (str(error).strip().split("\n") or [""])[0].split("; valid columns", 1)[0]
    return line.rstrip(".")
