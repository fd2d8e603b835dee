"""What `select` writes: the samples that go on, unchanged, and `left_out/`.

Shards are read one at a time and rows pass as columns, never as Python objects. Shards that are
written have `ROWS_PER_SHARD` rows however those that were read are cut, so equal samples give equal
bytes. Which rows go is decided before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ...pipeline.shards import TableWriter, read_table
from ...pipeline.stage import Context
from ..aside import LEFT_OUT_SCHEMA
from ..mixing.reorder import reorder

WITH_KEPT: Final = LEFT_OUT_SCHEMA.append(pa.field("of", pa.string()))
"""`left_out/` of duplicates: beside id and reason the id that is kept in their place."""


def write_kept(files: Sequence[Path], rows: pl.Series, context: Context) -> None:
    """Copy the samples that go on.

    Args:
        files: shards of all samples.
        rows: places of the samples, in the order in which they go on.
    """
    schema = pq.read_schema(files[0])
    kept = TableWriter(context.out, schema)
    tables = (
        _filtered(files, rows)
        if rows.is_sorted()
        else reorder(files, rows, context.state / "order", schema.names)
    )
    done = 0
    for table in tables:
        kept.put(table)
        done += table.num_rows
        context.progress.update(done, len(rows), phase="write")
    kept.close()


def write_left_out(files: Sequence[Path], left: pl.DataFrame, context: Context) -> None:
    """Write id, reason and, where there are duplicates, of.

    Args:
        left: columns row, reason and of, in the order of the data.
    """
    of = left["of"]
    schema = WITH_KEPT if of.null_count() < len(of) else LEFT_OUT_SCHEMA
    shards = TableWriter(context.out / "left_out", schema)
    names = _ids(files, of.drop_nulls().unique().sort()) if schema is WITH_KEPT else None
    done = 0
    for table in _filtered(files, left["row"], ["id"]):
        part = left.slice(done, table.num_rows)
        frame = pl.DataFrame(table).with_columns(reason=part["reason"].cast(pl.String))
        if names is not None:
            kept = part.select(row="of").join(names, on="row", how="left", maintain_order="left")
            frame = frame.with_columns(of=kept["id"])
        shards.put(frame.to_arrow().cast(schema))
        done += table.num_rows
    shards.close()


def _ids(files: Sequence[Path], rows: pl.Series) -> pl.DataFrame:
    """row and id."""
    found = [pl.DataFrame(table) for table in _filtered(files, rows, ["id"])]
    return pl.concat(found, rechunk=True).with_columns(row=rows)


def _filtered(
    files: Sequence[Path], rows: pl.Series, columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Some rows of each shard, in order; a shard with none of them is not read.

    Args:
        rows: ascending places in the data.
    """
    first = done = 0
    for file in files:
        after = first + pq.read_metadata(file).num_rows
        end = int(rows.search_sorted(after))
        if end > done:
            table = read_table(file, columns)
            if end - done < table.num_rows:
                table = table.take((rows.slice(done, end - done) - first).to_arrow())
            yield table
        first, done = after, end
