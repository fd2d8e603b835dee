"""Parts of samples in columns: turns, forms of thoughts, `generation` and members of `extra`.

Each gives what the row-wise function of the same part gives (`conversations.py`, `thinking.py`,
`extras.py`), or raises `NotPlain` where the types are not the common ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from ...models.thinking import CLOSE, OPEN
from ...pipeline.sample import SAMPLE_SCHEMA
from .blocks import without_nulls
from .extras import UNKNOWN
from .thinking import FIELDS, NONE, NOT_CLOSED, TAGS

GENERATION: Final = pl.Struct(pl.Schema(pa.schema(list(SAMPLE_SCHEMA.field("generation").type))))


class NotPlain(Exception):
    """The columns of a block are not of the common kind."""


def generation(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """`read_generation` in columns: what is not said has the value that stands for unknown."""
    fields = {}
    for field in GENERATION.fields:
        unknown = pl.lit(UNKNOWN.get(field.name), field.dtype)
        fields[field.name] = pl.coalesce(parts.get(field.name, unknown), unknown)
    return pl.struct(**fields)


def generation_parts(name: str, kind: pl.DataType) -> dict[str, pl.Expr]:
    known = {field.name: field.dtype for field in GENERATION.fields}
    fields = {field.name: field.dtype for field in kind.fields} if isinstance(kind, pl.Struct) else {}
    for field, dtype in fields.items():
        if dtype not in (known.get(field), pl.Null):
            raise NotPlain
    if "finish_reason" not in fields:
        raise NotPlain
    return {field: pl.col(name).struct.field(field).cast(known[field]) for field in fields}


def turn(role: str, text: pl.Expr) -> pl.Expr:
    return pl.struct(role=pl.lit(role), content=text)


def form_of(text: pl.Expr) -> pl.Expr:
    opened, closed = (text.str.contains(tag, literal=True) for tag in (OPEN, CLOSE))
    return (
        pl.when(closed)
        .then(pl.lit(TAGS))
        .when(opened)
        .then(pl.lit(NOT_CLOSED))
        .otherwise(pl.lit(NONE))
    )


def spelling(kind: pl.DataType) -> tuple[str, str, str | None]:
    """The fields of a turn: its role, its text, and its thought if there is a field for it."""
    inner = kind.inner if isinstance(kind, pl.List) else None
    fields = (
        {each.name: each.dtype for each in inner.fields} if isinstance(inner, pl.Struct) else {}
    )
    for role, text in (("role", "content"), ("from", "value")):
        more = fields.keys() - {role, text}
        texts = all(fields.get(name) == pl.String for name in (role, text, *more))
        if texts and len(more) <= 1 and more <= set(FIELDS):
            return role, text, next(iter(more), None)
    raise NotPlain


def _canonical(value: Any) -> str:
    return json.dumps(
        without_nulls(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


def member(frame: pl.DataFrame, name: str) -> pl.Expr:
    """`"name":value` as canonical JSON, null where the row has no such column."""
    kind = frame.schema[name]
    key = json.dumps(name, ensure_ascii=False) + ":"
    column = pl.col(name)
    if kind in (pl.String, pl.Int64, pl.Boolean):
        one = pl.struct(column.alias("v")).struct.json_encode()
        text = one.str.strip_prefix('{"v":').str.strip_suffix("}")
    else:  # fractions and what is nested: as Python writes them
        values = [_canonical(value) for value in frame[name].to_list()]
        text = pl.lit(pl.Series(values, dtype=pl.String))
    return pl.when(column.is_not_null()).then(pl.lit(key) + text)
