"""Parts of samples in columns: turns, forms of thoughts, `generation` and members of `extra`.

Each gives what the row-wise function of the same part gives (`conversations.py`, `thinking.py`,
`extras.py`), or raises `NotPlain` where the types are not the common ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from ...models.thinking import CLOSE, OPEN
from ...pipeline.sample import SAMPLE_SCHEMA
from .blocks import without_nulls
from .extras import UNKNOWN
from .thinking import FIELDS, FOREIGN_TAGS, NONE, NOT_CLOSED, TAGS, in_tags

GENERATION: Final = pl.Struct(pl.Schema(pa.schema(list(SAMPLE_SCHEMA.field("generation").type))))

_TAGGED: Final = pl.Struct({"text": pl.String, "form": pl.String})
_FOREIGN: Final = rf"^[\s\x1c-\x1f]*(?:{'|'.join(map(re.escape, FOREIGN_TAGS))})"


class NotPlain(Exception):
    """The columns of a block are not of the common kind."""


def generation(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """`read_generation` in columns: what is not said has the value that stands for unknown."""
    fields = []
    for field in GENERATION.fields:
        unknown = pl.lit(UNKNOWN.get(field.name), field.dtype)
        fields.append(pl.coalesce(parts.get(field.name, unknown), unknown).alias(field.name))
    return pl.struct(fields)


def generation_parts(name: str, kind: pl.DataType) -> dict[str, pl.Expr]:
    """What a column of structs says of a generation, each part as our own column of it."""
    known = {field.name: field.dtype for field in GENERATION.fields}
    fields = kind.fields if isinstance(kind, pl.Struct) else []
    if any(field.dtype not in (known.get(field.name), pl.Null) for field in fields):
        raise NotPlain
    column = pl.col(name).struct
    parts = {each.name: column.field(each.name).cast(known[each.name]) for each in fields}
    if "finish_reason" not in parts:
        raise NotPlain
    return parts


def turn(role: str, text: pl.Expr) -> pl.Expr:
    """A message of a prompt."""
    return pl.struct(role=pl.lit(role), content=text)


def tagged(completion: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`in_tags` in columns: the completion, and the form that its thought had."""
    opened, closed = (completion.str.contains(tag, literal=True) for tag in (OPEN, CLOSE))
    ours = pl.when(closed).then(pl.lit(TAGS)).when(opened).then(pl.lit(NOT_CLOSED))
    form = pl.when(completion.is_not_null()).then(ours.otherwise(pl.lit(NONE)))
    others = completion.map_batches(_with_others_tags, return_dtype=_TAGGED).struct
    return (
        pl.coalesce(others.field("text"), completion),
        pl.coalesce(others.field("form"), form),
    )


def _with_others_tags(completions: pl.Series) -> pl.Series:
    """Those that begin with others' tags, brought to ours one by one; the rest is null."""
    found: list[dict[str, str] | None] = [None] * len(completions)
    for place in completions.str.contains(_FOREIGN).arg_true():
        text, form = in_tags(completions[place])
        found[place] = {"text": text, "form": form}
    return pl.Series(found, dtype=_TAGGED)


def spelling(kind: pl.DataType) -> tuple[str, str, str | None]:
    """The fields of a turn: its role, its text, and its thought if there is a field for it."""
    inner = kind.inner if isinstance(kind, pl.List) else None
    parts = inner.fields if isinstance(inner, pl.Struct) else []
    fields = {part.name: part.dtype for part in parts if part.dtype != pl.Null}
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
