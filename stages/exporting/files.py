"""The files of a split: `data/<split>-00000-of-00012.parquet`, or .jsonl or .csv.

Rows are gathered until a file is full, so how the source was cut into shards does not show. Memory:
one file's rows for each split.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa

from ...pipeline.shards import ROWS_PER_SHARD, atomic_path, write_table
from .cells import write_csv

Format = Literal["parquet", "jsonl", "csv"]


class SplitFiles:
    """Writes the rows of one split.

    Args:
        rows: how many will be put; it stands in the files' names.
    """

    def __init__(self, folder: Path, split: str, format_: Format, rows: int) -> None:
        self.names: list[str] = []
        """Of the files written so far."""
        self.num_bytes = 0
        """What the rows take in memory as Arrow tables: what a card calls num_bytes."""
        self._folder = folder
        self._split = split
        self._format = format_
        self._total = max(1, math.ceil(rows / ROWS_PER_SHARD))
        self._waiting: list[pa.Table] = []
        self._count = 0

    def put(self, rows: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(rows)
        self._count += rows.num_rows
        while self._count >= ROWS_PER_SHARD:
            self._write()

    def close(self) -> None:
        """Write what waits."""
        if self._count:
            self._write()

    def _write(self) -> None:
        waiting = pa.concat_tables(self._waiting)
        # One chunk: how a table is cut into chunks shows in the pages of the parquet.
        rows = waiting.slice(0, ROWS_PER_SHARD).combine_chunks()
        rest = waiting.slice(ROWS_PER_SHARD)
        self._waiting, self._count = [rest], rest.num_rows
        number = len(self.names)
        name = f"{self._split}-{number:05d}-of-{self._total:05d}.{self._format}"
        _write_rows(self._folder / name, rows, self._format)
        self.names.append(name)
        self.num_bytes += rows.nbytes


def _write_rows(target: Path, rows: pa.Table, format_: Format) -> None:
    if format_ == "parquet":
        write_table(target, rows)
        return
    with atomic_path(target) as temporary:
        if format_ == "csv":
            write_csv(temporary, rows)
        else:
            pl.DataFrame(rows).write_ndjson(temporary)
