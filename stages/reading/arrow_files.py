"""Parquet and Arrow IPC (file, stream, Feather 2), batch by batch.

Page checksums of parquet are verified, and every batch is checked before it is used: offsets and
UTF-8 of a hostile file are not to be trusted. What plain columns can hold goes on as columns; a
batch with dates, decimals or other types goes on row by row, and a value without a Python form
costs its row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ...pipeline.errors import RequestError
from .blocks import LINE, Block, Columns, Listed
from .packed import READ_BYTES
from .plain_columns import plain_columns
from .rows import Quarantined, Row, as_json, readable

PARQUET: Final = b"PAR1"
ARROW_FILE: Final = b"ARROW1"
ARROW_STREAM: Final = b"\xff\xff\xff\xff"
_MOST_ROWS: Final = 8_000


def read_parquet(path: Path) -> Iterator[tuple[Block, float]]:
    """The rows of a parquet file, each block with the share of the file that is then read.

    Raises:
        RequestError: it is not whole, or has two columns of one name.
    """
    with _damage_named(path, "parquet"):
        file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
    with file:
        check_names(path, file.schema_arrow.names)
        groups = range(file.num_row_groups)
        size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        batches = file.iter_batches(batch_size=_rows_for(size, file.metadata.num_rows))
        done = 0
        for block, rows in _blocks(path, "parquet", batches):
            done += rows
            yield block, done / file.metadata.num_rows


def read_arrow(path: Path) -> Iterator[tuple[Block, float]]:
    """The rows of an Arrow IPC file or stream; see `read_parquet`."""
    with contextlib.ExitStack() as stack:
        with _damage_named(path, "Arrow"):
            source = stack.enter_context(pa.memory_map(str(path)))
            is_file = source.read(len(ARROW_FILE)) == ARROW_FILE
            source.seek(0)
            opened = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
            stack.enter_context(opened)
        check_names(path, opened.schema.names)
        count = opened.num_record_batches if is_file else None
        batches = map(opened.get_batch, range(count)) if count is not None else iter(opened)
        for block, _ in _blocks(path, "Arrow", batches):
            yield block, source.tell() / max(source.size(), 1)


def check_names(path: Path, names: list[str]) -> None:
    """Refuse two columns of one name; raises RequestError."""
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise RequestError(f"{path} has several columns of the same name: {doubled}")


def _rows_for(size: int, rows: int) -> int:
    return max(1, min(_MOST_ROWS, READ_BYTES * rows // max(size, 1)))


def _blocks(
    path: Path, what: str, batches: Iterator[pa.RecordBatch]
) -> Iterator[tuple[Block, int]]:
    """Blocks with their number of rows."""
    first = 1
    while True:
        with _damage_named(path, what):
            batch = next(batches, None)
        if batch is None:
            return
        step = _rows_for(batch.nbytes, batch.num_rows)
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            yield _block(path, what, part, first), part.num_rows
            first += part.num_rows


def _block(path: Path, what: str, batch: pa.RecordBatch, first: int) -> Block:
    if _is_valid(path, what, batch):
        frame = plain_columns(pa.table(batch))
        if frame is not None:
            numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
            numbered = frame.with_columns(numbers.alias(LINE))
            return Columns(path.name, numbered, lambda at: as_json(frame.row(at, named=True)))
    return Listed(path.name, list(_rows(batch, first)))


def _is_valid(path: Path, what: str, batch: pa.RecordBatch) -> bool:
    """Whether its texts are UTF-8.

    Raises:
        RequestError: offsets or lengths point out of the batch: to read it could end the process.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            return False
        with _damage_named(path, what):
            raise
    return True


def _rows(batch: pa.RecordBatch, first: int) -> Iterator[Row | Quarantined]:
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):  # some value has no Python form: find out which row's
        for index in range(batch.num_rows):
            yield _one_row(batch.slice(index, 1), first + index)
    else:
        yield from (Row(number, values) for number, values in enumerate(rows, first))


def _one_row(one: pa.RecordBatch, number: int) -> Row | Quarantined:
    try:
        return Row(number, one.to_pylist()[0])
    except UnicodeDecodeError:
        reason = "invalid_utf8"
    except (ValueError, OverflowError):
        reason = "unreadable_value"
    cells = (f"{name}: {_cell(one.column(name))}" for name in one.schema.names)
    return Quarantined(number, reason, "\n".join(cells))


def _cell(column: pa.Array) -> str:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        raw: Any = column.cast(pa.large_binary())[0].as_py()
        return "null" if raw is None else readable(raw)
    return readable(str(column).encode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _damage_named(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError, OSError) as error:
        raise RequestError(
            f"{path} cannot be read as {what}: {error}. Expected a whole file of "
            f"{path.stat().st_size if path.exists() else 'no'} bytes; fetch or build it again."
        ) from error
