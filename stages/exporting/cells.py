"""Rows as CSV: text cells that no spreadsheet runs, conversations as JSON in one cell.

A cell that begins with = + - @, a tab or a line end is a formula to a spreadsheet, also behind
no-break and zero-width spaces; a `'` before it makes it text (OWASP, "CSV Injection"). So what is
read back differs by that sign: JSONL and parquet are the formats that lose nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

_FORMULA: Final = (
    "^[\\s\u00a0\u200b-\u200f\u2060\ufeff\u0000]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]"
)


def write_csv(target: Path, rows: pa.Table) -> None:
    """Write rows as UTF-8 with a header; null is an empty cell, an empty text is `""`."""
    frame = pl.DataFrame(rows)
    cells = [_cell(frame, name) for name in frame.columns]
    frame.select(cells).write_csv(target, quote_style="necessary", null_value="")


def cell_schema(schema: pa.Schema) -> pa.Schema:
    """What a reader finds in the cells: text where the rows have lists or structs."""
    return pa.schema(
        [
            (field.name, pa.string() if pa.types.is_nested(field.type) else field.type)
            for field in schema
        ]
    )


def _cell(frame: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if frame.schema[name].is_nested():
        whole = pl.struct(name).struct.json_encode()
        inner = whole.str.strip_prefix(f'{{"{name}":').str.head(-1)
        return pl.when(column.is_not_null()).then(inner).alias(name)
    if frame.schema[name] != pl.String:
        return column
    guarded = pl.lit("'") + column
    return pl.when(column.str.contains(_FORMULA)).then(guarded).otherwise(column).alias(name)
