"""A mixture on disk: its rows in order, their tokens beside them, and what was left out.

Texts pass through `reorder`, a shard at a time; the report is counted on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from ...pipeline.sample import SAMPLE_SCHEMA
from ...pipeline.shards import write_table
from ...pipeline.stage import Context
from ..aside import LEFT_OUT_SCHEMA
from .reorder import reorder
from .report import Report

MIXTURE_SCHEMA: Final = SAMPLE_SCHEMA.append(pa.field("copy", pa.int64()))
"""The schema of samples, and how many times the same id came before (0: the first)."""
TOKENS: Final = "tokens"
"""Folder below a mixture with its rows' tokens, row-aligned with its shards."""
TOKENS_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("copy", pa.int64()),
        ("tokens", pa.int64()),
        ("loss_tokens", pa.int64()),
    ]
)


def write_mixture(files: Sequence[Path], order: pl.DataFrame, context: Context) -> Report:
    """Write the rows in their order and, where they were counted, their tokens.

    Args:
        files: shards of all parts.
        order: columns row (place in the files), copy and, where they were counted, tokens and
            loss_tokens.

    Raises:
        StepFailed: the disk has too little room.
    """
    counted = "tokens" in order.columns
    report = Report(counted)
    done = 0
    tables = reorder(files, order["row"], context.state / "order")
    for index, table in enumerate(tables):
        beside = order.slice(done, table.num_rows)
        table = table.append_column("copy", _plain(beside["copy"])).cast(MIXTURE_SCHEMA)
        write_table(context.out / _shard(index), table)
        report.add(table, beside)
        if counted:
            _write_tokens(context.out / TOKENS / _shard(index), table, beside)
        done += table.num_rows
        context.progress.update(done, len(order), phase="write")
    return report


def write_left_out(files: Sequence[Path], left: pl.DataFrame, context: Context) -> None:
    """`left_out/`: the ids of the rows with these places and reasons, in the order of the files.

    Args:
        left: columns row and reason.
    """
    left = left.sort("row")
    done = 0
    tables: Iterable[pa.Table] = reorder(files, left["row"], context.state / "left", ["id"])
    if left.is_empty():  # a set without rows is one empty shard, so that it can be opened
        tables = [LEFT_OUT_SCHEMA.empty_table().select(["id"])]
    for index, table in enumerate(tables):
        reasons = _plain(left["reason"].slice(done, table.num_rows))
        table = table.append_column("reason", reasons).cast(LEFT_OUT_SCHEMA)
        write_table(context.out / "left_out" / _shard(index), table)
        done += table.num_rows


def _write_tokens(target: Path, table: pa.Table, beside: pl.DataFrame) -> None:
    columns = [table.column("id"), table.column("copy")]
    columns += [_plain(beside[name]) for name in ("tokens", "loss_tokens")]
    write_table(target, pa.table(columns, schema=TOKENS_SCHEMA))


def _plain(column: pl.Series) -> pa.Array:
    return column.rechunk().to_arrow()


def _shard(index: int) -> str:
    return f"part-{index:05d}.parquet"
