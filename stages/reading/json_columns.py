"""Pieces of JSON to blocks: in columns where nothing is changed by it, else one by one.

pyarrow parses JSON into columns eight times as fast as Python, but guesses types and changes
values in silence: NaN, 27 beside 0.5 (27.0), numbers over 64 bits, texts that look like dates, two
objects on one line. So it is given the types that were met before and refuses all else; types are
only guessed for a few lines at a time; and numbers are compared with how they were written.
Whatever does not pass is cut in eight, and what is then still odd is read by `strict_json.py`: one
bad line costs some sixty slow ones. A null and a missing key are the same in columns, so no reader
of rows may tell them apart.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.json as pj

from .blocks import LINE, OWN_ID, Block, Columns, Listed
from .pieces import Pieces
from .plain_columns import depth_of, fields_of, plain_columns
from .rows import BadRow, Quarantined, Row, readable
from .strict_json import MAX_DEPTH, parse_object

SMALL: Final = 64
"""Pieces for which types are guessed; fewer are not worth a call of the fast parser."""
_PARTS: Final = 8
_MAX_FIELDS: Final = 512
"""Fields of objects, at any depth; data with more has keys that are values."""
_MAX_GUESSED_BYTES: Final = 1 << 20
_MAX_OPENERS: Final = 1000
"""Brackets in a piece whose types are guessed: from 20,000 levels on the fast parser crashes."""


class JsonBlocks:
    """Pieces to blocks; it learns the types of one file as it goes."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._known = pa.schema([])

    def read(self, pieces: Pieces) -> Iterator[Block]:
        """The rows of some pieces, in their order."""
        numbers, texts = pieces
        if not texts:
            return
        frame = self._fast(texts)
        if frame is not None:
            lines = pl.Series(LINE, numbers, dtype=pl.Int64)
            yield Columns(self._file, frame.with_columns(lines), lambda at: readable(texts[at]))
        elif len(texts) <= SMALL:
            yield Listed(self._file, [strict_row(*each) for each in zip(*pieces, strict=True)])
        else:
            step = -(-len(texts) // _PARTS)
            for start in range(0, len(texts), step):
                part = slice(start, start + step)
                yield from self.read((numbers[part], texts[part]))

    def _fast(self, texts: Sequence[bytes]) -> pl.DataFrame | None:
        """The pieces as columns, each value as it was written; None where that is not sure."""
        if not all(text[:1] == b"{" and text[-1:] == b"}" for text in texts):
            return None
        data = b"\n".join(texts)
        table = _parse(data, self._known)
        if table is None and len(texts) <= SMALL:
            table = self._learn(data, texts)
        if table is None or table.num_rows != len(texts) or not _numbers_as_written(table, data):
            return None
        return plain_columns(table)

    def _learn(self, data: bytes, texts: Sequence[bytes]) -> pa.Table | None:
        """Guess the types of a few pieces, and know them from then on."""
        too_long = len(data) > _MAX_GUESSED_BYTES
        if too_long or any(text.count(b"[") + text.count(b"{") > _MAX_OPENERS for text in texts):
            return None
        guessed = _parse(data, None)
        if guessed is None or {LINE, OWN_ID} & set(guessed.schema.names):
            return None
        try:
            merged = pa.unify_schemas(
                [self._known, _dates_as_text(guessed.schema)], promote_options="permissive"
            )
        except pa.ArrowException:  # text here and a number there
            return None
        if fields_of(merged) > _MAX_FIELDS or depth_of(merged) > MAX_DEPTH:
            return None
        table = _parse(data, merged)
        if table is not None and _numbers_as_written(table, data):
            self._known = merged
            return table
        return None


def strict_row(number: int, data: bytes) -> Row | Quarantined:
    """One piece, read so that nothing passes in silence."""
    try:
        return Row(number, parse_object(data), data)
    except BadRow as bad:
        return Quarantined(number, bad.reason, readable(data))


def _parse(data: bytes, known: pa.Schema | None) -> pa.Table | None:
    """The rows with exactly these types, or with guessed ones; None where they do not fit.

    Every line of `data` begins with { and ends with }. What is then parsed as one row for each
    line has no row over two lines: between } and { JSON needs a comma.
    """
    how = "infer" if known is None else "error"
    try:
        _check_utf8(data)
        table = pj.read_json(
            pa.BufferReader(data),
            pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
            pj.ParseOptions(explicit_schema=known, unexpected_field_behavior=how),
        )
        table.validate()  # lists that hold nothing but nulls are made too short
        return table
    except (pa.ArrowException, UnicodeDecodeError):  # the latter for a field's name
        return None


def _check_utf8(data: bytes) -> None:
    """Raise ArrowInvalid where it is not: the parser does not look. Ten times as fast as `decode`.

    From buffers: `pa.array` imports pandas, if there is one, to ask whether it is given a series.
    """
    offsets = pa.py_buffer(struct.pack("=qq", 0, len(data)))
    buffers = [None, offsets, pa.py_buffer(data)]
    pa.Array.from_buffers(pa.large_string(), 1, buffers).validate(full=True)


def _numbers_as_written(table: pa.Table, data: bytes) -> bool:
    """Whether each number with a fraction was written as one; whole ones and NaN were not."""
    counts: dict[str, int] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if not _count_fractions(field, column.combine_chunks(), counts):
            return False
    for name, count in counts.items():
        spelled = {json.dumps(name, ensure_ascii=ascii) for ascii in (True, False)}
        key = b"(?:%s)" % b"|".join(re.escape(each.encode()) for each in sorted(spelled))
        if len(re.findall(key + rb"\s*:\s*-?\d+(?:\.\d|[eE])", data)) != count:
            return False
        if re.search(key + rb"\s*:\s*-?\d++(?![.eE])", data):
            return False
    return True


def _count_fractions(field: pa.Field, column: pa.Array, counts: dict[str, int]) -> bool:
    """Add up the fractions by key; False where there are some in a list, which have no key."""
    kind = field.type
    if pa.types.is_floating(kind):
        counts[field.name] = counts.get(field.name, 0) + len(column) - column.null_count
    elif pa.types.is_struct(kind):
        parts = [column.field(index) for index in range(kind.num_fields)]
        return all(_count_fractions(*each, counts) for each in zip(kind, parts, strict=True))
    elif pa.types.is_list(kind):
        inner = kind.value_type
        values = column.values
        if pa.types.is_floating(inner) or (pa.types.is_list(inner) and _has_fraction(inner)):
            return bool(len(values) == values.null_count)
        return _count_fractions(kind.value_field, values, counts)
    return True


def _has_fraction(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _has_fraction(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_has_fraction(field.type) for field in kind)
    return bool(pa.types.is_floating(kind))


def _dates_as_text(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(_date_as_text(field.type)) for field in schema])


def _date_as_text(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_date_as_text(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_date_as_text(field.type)) for field in kind])
    return kind
