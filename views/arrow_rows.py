"""Arrow IPC files and streams, as `datasets` writes them, as rows: batch by batch, never whole.

A file is mapped into memory, so that what is not compressed is not copied either. Format and
columns are as they are in the file; nothing is decoded that no look asks for.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from ..pipeline.errors import RequestError
from .rows import Rows, blocks_frame, chosen_rows, first_line, same_columns


def arrow_rows(files: Sequence[Path]) -> Rows:
    """The rows of Arrow IPC files or streams, as `datasets` writes them, batch by batch.

    Raises:
        RequestError: a file is damaged, or its columns are not those of the first.
    """
    schemas = [_arrow_schema(file) for file in files]
    for file, schema in zip(files, schemas, strict=True):
        same_columns(files[0], schemas[0], file, schema)

    def batches(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        for batch in itertools.chain.from_iterable(map(_arrow_batches, files)):
            yield pl.DataFrame(batch.select(columns))

    frame = blocks_frame(batches, schemas[0])
    total = sum(batch.num_rows for file in files for batch in _arrow_batches(file))
    return Rows(frame, lambda numbers: chosen_rows(frame, numbers), total)


def _arrow_schema(file: Path) -> pl.Schema:
    with _opened(file) as opened:
        return pl.DataFrame(opened.schema.empty_table()).schema


def _arrow_batches(file: Path) -> Iterator[pa.RecordBatch]:
    with _opened(file) as opened:
        if isinstance(opened, pa.RecordBatchFileReader):
            yield from (opened.get_batch(n) for n in range(opened.num_record_batches))
        else:
            yield from opened


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[pa.RecordBatchFileReader | pa.RecordBatchStreamReader]:
    try:
        with pa.memory_map(str(file)) as source:
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            yield pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
    except (pa.ArrowException, OSError) as error:
        raise RequestError(
            f"{file} cannot be read as Arrow: {first_line(error)}. Expected a whole file or "
            "stream; fetch or build it again."
        ) from error
