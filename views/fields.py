"""Fields behind dots: `generation.index` of a struct, `extra.level` of a column of JSON text.

A column whose own name has a dot in it is that column. Which fields a struct has is known and a
wrong one is refused; what JSON text holds differs from row to row, and a row without it has None.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from ..pipeline.suggest import suggest


def path_of(name: str, columns: Collection[str]) -> list[str]:
    """The column that a name begins with, and the fields below it."""
    return [name] if name in columns else name.split(".")


def check_field(name: str, schema: pl.Schema) -> None:
    """Refuse a field that a struct does not have.

    Raises:
        RequestError: the message names those that it has.
    """
    column, *fields = path_of(name, schema)
    kind = schema.get(column)
    for field in fields:
        if not isinstance(kind, pl.Struct):
            return
        kinds = {each.name: each.dtype for each in kind.fields}
        if field not in kinds:
            raise RequestError(f"--columns {name}: no field {field!r}; {suggest(field, kinds)}")
        inner = kinds[field]
        kind = inner if isinstance(inner, pl.DataType) else inner()


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """A column, or a field of a struct or of JSON text behind dots; None where there is none."""
    column, *fields = path_of(name, row)
    value = row.get(column)
    for field in fields:
        value = _object(value).get(field)
    return value


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:  # a text that is no JSON
            return {}
    return value if isinstance(value, Mapping) else {}
