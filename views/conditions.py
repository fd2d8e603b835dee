"""`--where`: one SQL condition over the columns of rows, as a polars expression.

Beside plain columns it may name fields: `generation.index` of a struct, and `extra.level` of a
column that holds JSON text. Such a field is taken out of the text for the search; where all its
values are numbers (or truth values) it is compared as such, else as text. A condition is one
expression on a row: subqueries are refused before polars sees them, since it runs
`read_csv('…')` in one while it parses, and so is what could hide one (comments, other quotes).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from ..pipeline.suggest import listed
from .rows import Rows, first_line, is_damage

NUM_LOOKED_AT = 10_000
"""Rows by which the type of a field in JSON text is told."""

_TOKEN = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*"
    | (?P<refused> [\w&]+['"] | -- | /\* | [`$;\\] | \bselect\b | \(\s*from\b )
    | (?P<column>\w+)\.(?P<field>\w+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


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
        if is_damage(error):
            raise
        raise RequestError(f"{asked}: {first_line(error)}. Columns: {listed(columns)}") from error


def searched(frame: pl.LazyFrame, where: str) -> tuple[pl.LazyFrame, pl.Expr]:
    """The frame with the fields that the condition names as columns, and the condition on it.

    Raises:
        RequestError: it is not one SQL expression.
    """
    texts = {name for name, kind in frame.collect_schema().items() if kind == pl.String}
    fields: dict[str, pl.Expr] = {}

    def as_column(match: re.Match[str]) -> str:
        if match["refused"]:
            raise _no_condition(where, f"{match['refused'].strip()!r} is not allowed in it")
        column, name = match["column"], match["field"]
        if column not in texts:
            return match[0]
        found = f"{column}.{name}"
        fields[found] = pl.col(column).str.json_path_match(f"$.{name}")
        return f'"{found}"'

    condition = _condition_of(_TOKEN.sub(as_column, where), where)
    if fields:
        kinds = {name: _kinds(frame, *name.split(".")) for name in fields}
        casts = {name: _typed(pl.col(name), kinds[name]) for name in fields}
        frame = frame.with_columns(**fields).with_columns(**casts)
    return frame, condition


def _condition_of(text: str, where: str) -> pl.Expr:
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise _no_condition(where, first_line(error)) from error


def _no_condition(where: str, told: str) -> RequestError:
    return RequestError(
        f"--where {where!r} is no condition: {told}. Expected one such as "
        "\"task = 'math' and language = 'zh'\"; quote names with \"…\" and texts with '…'."
    )


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
