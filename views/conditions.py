"""`--where`: one SQL condition over the columns of rows, as a polars expression.

Beside plain columns it may name fields: `generation.index` of a struct, and `extra.level` of a
column that holds JSON text. Such a field is taken out of the text for the search; where all its
values are numbers (or truth values) it is compared as such, else as text. A condition is an
expression and nothing else: it can name no statement, table or file.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from .rows import Rows, first_line

NUM_LOOKED_AT = 10_000
"""Rows by which the type of a field in JSON text is told."""

_FIELD = re.compile(r"""('(?:[^']|'')*')|"([^"]*)"|(\w+)\.(\w+)""")


def rows_where(rows: Rows, where: str, columns: Iterable[str]) -> Sequence[int]:
    """Numbers of the rows for which the SQL condition holds.

    Args:
        columns: what a message names as the columns there are.

    Raises:
        RequestError: it is no condition on these columns; the message names them.
    """
    with explained(f"--where {where!r}", columns):
        frame, condition = searched(rows.frame, where)
        return Rows(frame, rows.fetch, rows.total).matching(condition)


@contextlib.contextmanager
def explained(asked: str, columns: Iterable[str]) -> Iterator[None]:
    """Turn what polars says of an expression into a request to mend, with the columns there are.

    Raises:
        RequestError: polars raised an error in the block.
    """
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise RequestError(
            f"{asked}: {first_line(error)}. Columns: {', '.join(columns)}"
        ) from error


def searched(frame: pl.LazyFrame, where: str) -> tuple[pl.LazyFrame, pl.Expr]:
    """The frame with the fields that the condition names as columns, and the condition on it.

    Raises:
        RequestError: it is not one SQL expression.
    """
    texts = {name for name, kind in frame.collect_schema().items() if kind == pl.String}
    fields: dict[str, pl.Expr] = {}

    def as_column(match: re.Match[str]) -> str:
        column, name = match[3], match[4]
        if column not in texts:
            return match[0]
        found = f"{column}.{name}"
        fields[found] = pl.col(column).str.json_path_match(f"$.{name}")
        return f'"{found}"'

    condition = _condition_of(_FIELD.sub(as_column, where), where)
    if fields:
        kinds = {name: _kinds(frame, *name.split(".")) for name in fields}
        casts = {name: _typed(pl.col(name), kinds[name]) for name in fields}
        frame = frame.with_columns(**fields).with_columns(**casts)
    return frame, condition


def _condition_of(text: str, where: str) -> pl.Expr:
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise RequestError(
            f"--where {where!r} is no condition: {first_line(error)}. Expected one such as "
            "\"task = 'math' and language = 'zh'\"."
        ) from error


def _kinds(frame: pl.LazyFrame, column: str, field: str) -> set[type[Any]]:
    """The types of a field in JSON texts; the text taken out of them does not tell 3 from "3"."""
    texts = frame.select(column).head(NUM_LOOKED_AT).collect(engine="streaming")[column]
    values = (_value(text) for text in texts.drop_nulls())
    found = (value.get(field) for value in values if isinstance(value, dict))
    return {type(value) for value in found if value is not None}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a text, in a column that is no JSON
        return None


def _typed(text: pl.Expr, kinds: set[type[Any]]) -> pl.Expr:
    if kinds and kinds <= {int, float}:
        return text.cast(pl.Float64)
    return text == "true" if kinds == {bool} else text
