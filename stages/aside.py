"""Rows that do not go on, written beside those that do: `quarantine/` and `left_out/`.

A step puts rows in as it meets them and closes the set at the end; memory holds one shard. The
counts by reason are what makes a step's counts close.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..pipeline.shards import ROWS_PER_SHARD, RowWriter

LEFT_OUT_SCHEMA = pa.schema([("id", pa.string()), ("reason", pa.string())])
"""Rows of `left_out/`: which sample and why; its text stays with the step that was read."""


class Aside:
    """Shards of rows with a reason, below an artifact."""

    def __init__(self, folder: Path, schema: pa.Schema, rows_per_shard: int = ROWS_PER_SHARD):
        self.folder = folder
        self._rows = RowWriter(folder, schema, rows_per_shard)
        self._counts: Counter[str] = Counter()

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were put in, by reason."""
        return dict(sorted(self._counts.items()))

    @property
    def total(self) -> int:
        return self._rows.total

    def put(self, **row: Any) -> None:
        """Add one row, with a column `reason`."""
        self._counts[row["reason"]] += 1
        self._rows.put(row)

    def close(self) -> None:
        """Write what waits; an empty set is one empty shard, so that it can be opened."""
        self._rows.close()
