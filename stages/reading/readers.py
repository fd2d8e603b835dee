"""From a file, a folder or hub data to blocks of rows; every format gives the same rows.

    JSONL, JSON array      pieces.py, json_columns.py: one bad row costs one row
    CSV, TSV               csv_files.py: all values are text
    parquet, Arrow IPC     arrow_files.py: values as the schema declares them

Which files a source is, sources.py says. Files of one source are read as one: they must agree in
what their columns hold (agreement.py). What the columns mean is decided in `columns.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .agreement import Agreement
from .arrow_files import read_arrow, read_parquet
from .blocks import Block, Columns, Listed, rows_of
from .csv_files import read_csv
from .files import DataFile
from .json_columns import JsonBlocks
from .packed import unpacked
from .pieces import elements, lines
from .sources import DataSource


@dataclass
class Meter:
    """How far a pass over a source has come, in bytes on disk."""

    total: int = 0
    done: float = 0

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


def read_blocks(source: DataSource, meter: Meter | None = None) -> Iterator[Block]:
    """Rows of a source in blocks, in its order; a file is opened when its first row is asked for.

    Args:
        meter: told how far it has come.

    Raises:
        RequestError: the source is not there, not whole, or of no known format.
        StepFailed: a file could not be fetched.
    """
    meter = meter or Meter()
    meter.total = source.bytes
    agreement = Agreement()
    before = 0
    for file in source.open():
        for block, share in _blocks(file):
            agreement.check(file, block)
            meter.done = before + share * file.bytes
            yield block
        before += file.bytes
        meter.done = before


def limited(blocks: Iterable[Block], skip: int, stop: int | None) -> Iterator[Block]:
    """The rows from `skip` to before `stop`, counted from 0 over all blocks."""
    done = 0
    for block in blocks:
        size = rows_of(block)
        first = max(skip - done, 0)
        end = size if stop is None else min(stop - done, size)
        done += size
        if first < end:
            yield block if (first, end) == (0, size) else _part(block, first, end)
        if stop is not None and done >= stop:
            return


def _part(block: Block, first: int, end: int) -> Block:
    if isinstance(block, Listed):
        return Listed(block.file, block.rows[first:end])
    raw = block.raw
    return Columns(block.file, block.frame.slice(first, end - first), lambda at: raw(first + at))


def _blocks(file: DataFile) -> Iterator[tuple[Block, float]]:
    """Blocks, each with the share of the file that is read by then."""
    if file.format == "parquet":
        yield from read_parquet(file.path)
    elif file.format == "arrow":
        yield from read_arrow(file.path)
    else:
        with unpacked(file.path) as data:
            size = max(file.bytes, 1)
            if file.format == "csv":
                for block in read_csv(data):
                    yield block, data.position / size
                return
            blocks = JsonBlocks(file.path.name)
            for pieces in (elements if file.format == "json" else lines)(data):
                for block in blocks.read(pieces):
                    yield block, data.position / size
