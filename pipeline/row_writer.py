"""Rows put one by one become shards: the counterpart of `shards.write_rows` for who is called.

Memory holds one shard. A set without rows is one empty shard, so that it can be opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from .shards import ROWS_PER_SHARD, write_table


class RowWriter:
    """Shards of one folder, written as they fill."""

    def __init__(self, folder: Path, schema: pa.Schema, rows_per_shard: int = ROWS_PER_SHARD):
        self.folder = folder
        self.total = 0
        """Rows put so far."""
        self._schema = schema
        self._rows_per_shard = rows_per_shard
        self._waiting: list[Mapping[str, Any]] = []
        self._shards = 0

    def put(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self.total += 1
        self._waiting.append(row)
        if len(self._waiting) == self._rows_per_shard:
            self._flush()

    def close(self) -> None:
        """Write what waits."""
        if self._waiting or not self._shards:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._waiting, schema=self._schema)
        write_table(self.folder / f"part-{self._shards:05d}.parquet", table)
        self._shards += 1
        self._waiting = []
