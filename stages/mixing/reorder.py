"""Rows of many files in any order, some several times or never, in bounded memory.

    for table in reorder(files, rows, scratch):        # rows: place in the files, in the new order
        write_table(…, table)

An external shuffle. The new order is cut into buckets of whole shards; every file is read once and
each of its rows is appended to the bucket it belongs to (Arrow files below `scratch`); then bucket
by bucket is put in order. In memory are the order (16 bytes a row) and one shard of texts at a
time, or one bucket where there are more than 256 shards. What comes out does not depend on how
buckets are cut. A kill leaves files in `scratch` that the next call removes and nothing else;
which order, and what becomes of the tables, is the caller's.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from ...pipeline.disk import disk_failure
from ...pipeline.errors import StepFailed
from ...pipeline.sample import SAMPLE_SCHEMA
from ...pipeline.shards import ROWS_PER_SHARD, read_table

MOST_BUCKETS: Final = 256
"""Files open at a time: a process may open 1,024 on most systems."""
_PLACE: Final = "__place__"


def reorder(
    files: Sequence[Path],
    rows: pl.Series,
    scratch: Path,
    columns: Sequence[str] = tuple(SAMPLE_SCHEMA.names),
    *,
    rows_per_shard: int = ROWS_PER_SHARD,
    most_buckets: int = MOST_BUCKETS,
) -> Iterator[pa.Table]:
    """Tables of exactly `rows_per_shard` rows, the last one of what is left; none without rows.

    Args:
        files: parquet shards of one schema.
        rows: for each row of the result its place in the files, counted through from 0 (integers).
        scratch: a folder of this call's own, on a disk with room for the rows once more, not
            compressed; emptied before and removed after.

    Raises:
        RequestError: a file is not whole parquet.
        StepFailed: the disk has too little room.
    """
    shards = math.ceil(len(rows) / rows_per_shard)
    bucket_rows = rows_per_shard * max(1, math.ceil(shards / most_buckets))
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        place = pl.int_range(pl.len(), dtype=pl.Int64).alias(_PLACE)
        places = pl.DataFrame({"row": rows.cast(pl.Int64)}).with_columns(place)
        wanted = places.sort("row", maintain_order=True)
        _refuse_too_full(files, wanted["row"], scratch, columns)
        buckets = _spill(files, wanted, scratch, columns, bucket_rows, rows_per_shard)
        for bucket in buckets:
            yield from _in_order(bucket, rows_per_shard)
            bucket.unlink()
    except OSError as error:
        failure = disk_failure(error, scratch)
        if failure is None:
            raise
        raise failure from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _spill(
    files: Sequence[Path],
    wanted: pl.DataFrame,
    scratch: Path,
    columns: Sequence[str],
    bucket_rows: int,
    at_once: int,
) -> list[Path]:
    """Append every wanted row to its bucket, with its place in the new order beside it."""
    names = [scratch / f"{index:05d}.arrow" for index in range(-(-len(wanted) // bucket_rows))]
    with contextlib.ExitStack() as opened:
        writers: list[Any] = []
        for table, part in _wanted_of(files, wanted, columns, at_once):
            if not writers:
                writers = [_open_bucket(opened, name, table.schema) for name in names]
            part = part.with_columns(bucket=pl.col(_PLACE) // bucket_rows)
            part = part.sort("bucket", maintain_order=True)
            taken = table.take(part["row"].to_arrow())
            taken = taken.append_column(_PLACE, part[_PLACE].to_arrow())
            start = 0
            for bucket, count in part.group_by("bucket", maintain_order=True).len().iter_rows():
                writers[bucket].write_table(taken.slice(start, count))
                start += count
    return names


def _open_bucket(opened: contextlib.ExitStack, name: Path, schema: pa.Schema) -> Any:
    sink = opened.enter_context(pa.OSFile(str(name), "wb"))
    placed = schema.append(pa.field(_PLACE, pa.int64()))
    return opened.enter_context(ipc.new_stream(sink, placed))


def _wanted_of(
    files: Sequence[Path], wanted: pl.DataFrame, columns: Sequence[str], at_once: int
) -> Iterator[tuple[pa.Table, pl.DataFrame]]:
    """Each file that is needed, and which of its rows go where; rows of many copies in pieces."""
    first = done = 0
    for file in files:
        after = first + pq.read_metadata(file).num_rows
        end = int(wanted["row"].search_sorted(after))
        if end > done:
            table = read_table(file, columns)
            for start in range(done, end, at_once):
                part = wanted.slice(start, min(at_once, end - start))
                yield table, part.with_columns(row=pl.col("row") - first)
        first, done = after, end


def _in_order(bucket: Path, rows_per_shard: int) -> Iterator[pa.Table]:
    with pa.memory_map(str(bucket)) as source:
        table = ipc.open_stream(source).read_all()
        places = pl.Series(table.column(_PLACE)).arg_sort()
        table = table.drop_columns(_PLACE)
        for start in range(0, table.num_rows, rows_per_shard):
            # One chunk: how a table is cut into chunks shows in the pages of the parquet.
            yield table.take(places.slice(start, rows_per_shard).to_arrow()).combine_chunks()


def _refuse_too_full(
    files: Sequence[Path], rows: pl.Series, scratch: Path, columns: Sequence[str]
) -> None:
    """Stop before the first byte where the disk cannot hold the buckets.

    Raises:
        StepFailed: names how much is needed and how much there is.
    """
    needed = first = 0
    for file in files:
        metadata = pq.read_metadata(file)
        after = first + metadata.num_rows
        begin, end = (int(rows.search_sorted(limit)) for limit in (first, after))
        if metadata.num_rows:
            needed += _plain_bytes(metadata, columns) * (end - begin) // metadata.num_rows
        first = after
    free = shutil.disk_usage(scratch).free
    if needed > free:
        raise StepFailed(
            f"putting {len(rows):,} rows in order needs about {needed / 1e6:,.0f} MB for a while, "
            f"and the disk of {scratch} has {free / 1e6:,.0f} MB free. Free some space there, or "
            "choose another place with --work DIR; then run the same command again."
        )


def _plain_bytes(metadata: Any, columns: Sequence[str]) -> int:
    """Bytes of some columns of a file, not compressed."""
    groups = range(metadata.num_row_groups)
    parts = itertools.product(groups, range(metadata.num_columns))
    chunks = (metadata.row_group(group).column(column) for group, column in parts)
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] in columns
    )
