"""Arrow tables as plain columns: the few types that every reader of columns can rely on.

Text, booleans, 64-bit whole numbers, finite fractions, lists and objects of these, and nulls. What
holds any other type (dates, decimals, bytes) or a value that JSON could not say (NaN) is not
plain, and its rows are read one by one. No value is changed.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from .blocks import LINE, OWN_ID


def plain_columns(table: pa.Table) -> pl.DataFrame | None:
    """The table as a frame of plain columns; None where it cannot be one, as without columns.

    The texts must be UTF-8 already.
    """
    names = table.schema.names
    kinds = [_plain(kind) for kind in table.schema.types]
    # polars gives a column without a name one of its own
    if not names or {LINE, OWN_ID, ""} & set(names) or None in kinds:
        return None
    try:
        table = table.cast(pa.schema(list(zip(names, kinds, strict=True))))
    except pa.ArrowInvalid:  # a whole number over 63 bits
        return None
    if not all(_is_finite(column.combine_chunks()) for column in table.columns):
        return None
    return pl.DataFrame(table)


def fields_of(kinds: Iterable[pa.Field]) -> int:
    """How many fields a schema or a struct has, at any depth."""
    total = 0
    for field in kinds:
        kind = field.type
        while pa.types.is_list(kind):
            kind = kind.value_type
        total += 1 + (fields_of(kind) if pa.types.is_struct(kind) else 0)
    return total


def depth_of(kinds: Iterable[pa.Field]) -> int:
    """Levels of objects and lists: 1 for a row of plain values."""
    return 1 + max((_depth(field.type) for field in kinds), default=0)


def _depth(kind: pa.DataType) -> int:
    if pa.types.is_list(kind):
        return 1 + _depth(kind.value_type)
    return depth_of(kind) if pa.types.is_struct(kind) else 0


def _plain(kind: pa.DataType) -> pa.DataType | None:
    is_ = pa.types
    if is_.is_null(kind) or is_.is_boolean(kind):
        return kind
    if is_.is_integer(kind):
        return pa.int64()
    if is_.is_floating(kind):
        return pa.float64()
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind):
        return pa.large_string()
    if is_.is_dictionary(kind):
        return _plain(kind.value_type) if is_.is_unicode(kind.value_type) else None
    if is_.is_list(kind) or is_.is_large_list(kind):
        inner = _plain(kind.value_type)
        return None if inner is None else pa.large_list(inner)
    if is_.is_struct(kind) and kind.num_fields:
        parts = [_plain(field.type) for field in kind]
        names = [field.name for field in kind]
        if None in parts or len(set(names)) < len(names):
            return None
        return pa.struct(list(zip(names, parts, strict=True)))
    return None


def _is_finite(column: pa.Array) -> bool:
    kind = column.type
    if pa.types.is_floating(kind):
        return bool(pc.all(pc.is_finite(column)).as_py() is not False)
    if pa.types.is_large_list(kind):
        return _is_finite(column.flatten())
    if pa.types.is_struct(kind):
        return all(map(_is_finite, column.flatten()))
    return True
