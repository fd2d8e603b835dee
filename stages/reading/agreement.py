"""Whether the files of one source hold the same columns, as far as their first rows show.

A file of another dataset among the shards would otherwise be loaded as if it belonged. A column
that holds text in one file and numbers in another is refused. So is, where files declare their
columns (parquet, Arrow, CSV), a file that has a column that another lacks and lacks one that the
other has; a file that only lacks some is taken for one without optional columns. Rows of JSON say
themselves what they have, so there only types must agree. Text of CSV agrees with anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ...pipeline.errors import RequestError
from .blocks import LINE, Block, Columns, Listed
from .files import DataFile
from .rows import Row

_JSON = ("json", "jsonl")


class Agreement:
    """Compares the first block of each file with those before."""

    def __init__(self) -> None:
        self._seen: dict[DataFile, dict[str, str]] = {}

    def check(self, file: DataFile, block: Block) -> None:
        """Look at a block; all but the first of a file are passed over.

        Raises:
            RequestError: with the columns of both files.
        """
        if file in self._seen:
            return
        kinds = kinds_of(block, is_text=file.format == "csv")
        for other, theirs in self._seen.items():
            declared = file.format not in _JSON and other.format not in _JSON
            if (why := _conflict(theirs, kinds, declared)) is not None:
                raise RequestError(
                    f"{file.path} does not belong with {other.path}: {why}.\n"
                    f"  {other.path.name}: {_shown(theirs)}\n  {file.path.name}: {_shown(kinds)}\n"
                    "Load them as two steps, and mix them if they belong together."
                )
        self._seen[file] = kinds


def kinds_of(block: Block, is_text: bool = False) -> dict[str, str]:
    """By column, the kind of its values: text, number, boolean, object, list, other or any."""
    if isinstance(block, Columns):
        return {
            name: "any" if is_text else _kind_of_type(kind)
            for name, kind in block.frame.schema.items()
            if name != LINE
        }
    return _kinds_of_rows(block)


def _kinds_of_rows(block: Listed) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for row in block.rows:
        if isinstance(row, Row):
            for name, value in row.values.items():
                found.setdefault(name, set()).add(_kind_of_value(value))
    return {
        name: known.pop() if len(known := kinds - {"any"}) == 1 else "any"
        for name, kinds in found.items()
    }


def _kind_of_type(kind: pl.DataType) -> str:
    if kind == pl.Null:
        return "any"
    if kind == pl.String:
        return "text"
    if kind == pl.Boolean:
        return "boolean"
    if kind.is_numeric():
        return "number"
    return "object" if isinstance(kind, pl.Struct) else "list"


def _kind_of_value(value: Any) -> str:
    if value is None:
        return "any"
    if isinstance(value, bool):
        return "boolean"
    for types, kind in (((int, float), "number"), (str, "text"), (dict, "object"), (list, "list")):
        if isinstance(value, types):
            return kind
    return "other"


def _conflict(one: Mapping[str, str], other: Mapping[str, str], declared: bool) -> str | None:
    for name in sorted(one.keys() & other.keys()):
        if one[name] != other[name] and "any" not in (one[name], other[name]):
            return f"column {name!r} holds {one[name]} there and {other[name]} here"
    more, less = sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys())
    if declared and more and less:
        return f"it lacks {', '.join(more)} and has {', '.join(less)} instead"
    return None


def _shown(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in sorted(kinds.items()))
