"""Text files as rows that can be searched: the types of their columns, and blocks of bounded size.

The head of a file is read at once and is enough for a first look. Only where all rows are asked
for is a long file read to its end: once for the types, the number of rows and the broken lines,
and again for each search, block by block, so that a file larger than memory can be searched. A
column of one type is searched as that; lists, objects and mixed types are searched as their JSON
text. Rows are fetched from the file itself, so they are shown as they are.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from .rows import BrokenLines, Rows, blocks_frame
from .terminal import one_line
from .text_formats import Item, text_items

HEAD_ROWS = 20_000
HEAD_SIZE = 32_000_000
"""Rows and characters that a first look reads at most."""
BLOCK_ROWS, BLOCK_SIZE = 5_000, 16_000_000

Row = dict[str, Any]
_DTYPES: dict[type, Any] = {int: pl.Int64, float: pl.Float64, bool: pl.Boolean, str: pl.String}


def text_rows(files: Sequence[Path], whole: bool) -> Rows:
    """The rows of text files, in order.

    Args:
        whole: all of them; otherwise long files are read in part, and `total` is None then.

    Raises:
        RequestError: a file cannot be read, or no line of it is a row.
    """
    items = _items(files)
    broken = BrokenLines()
    head = next(_blocks(items, broken, HEAD_ROWS, HEAD_SIZE), [])
    rest = next(items, None)
    if broken.reasons and not head:
        raise RequestError(_no_rows(broken))
    if rest is None or not whole:
        kinds = _Kinds()
        kinds.take(head)
        frame = _frame(head, kinds.dtypes()).lazy()
        total = len(head) if rest is None else None
        return Rows(frame, lambda numbers: [head[n] for n in sorted(numbers)], total, broken=broken)
    return _streamed(files)


def _streamed(files: Sequence[Path]) -> Rows:
    broken, kinds, total = BrokenLines(), _Kinds(), 0
    for block in _blocks(_items(files), broken, BLOCK_ROWS, BLOCK_SIZE):
        kinds.take(block)
        total += len(block)
    dtypes = kinds.dtypes()

    def frames(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        for block in _blocks(_items(files), BrokenLines(), BLOCK_ROWS, BLOCK_SIZE):
            yield _frame(block, {name: dtypes[name] for name in columns})

    def fetch(numbers: Sequence[int]) -> list[Row]:
        wanted = set(numbers)
        good = (item.row for _, item in _items(files) if item.row is not None)
        rows = itertools.islice(good, max(wanted, default=-1) + 1)
        return [row for number, row in enumerate(rows) if number in wanted]

    schema = pl.Schema({name: dtype or pl.String for name, dtype in dtypes.items()})
    return Rows(blocks_frame(frames, schema), fetch, total, broken=broken)


def _items(files: Iterable[Path]) -> Iterator[tuple[Path, Item]]:
    for file in files:
        for item in text_items(file):
            yield file, item


def _blocks(
    items: Iterable[tuple[Path, Item]], broken: BrokenLines, num_rows: int, size: int
) -> Iterator[list[Row]]:
    """Rows in blocks that end with one of the two limits; what is no row is put aside."""
    block: list[Row] = []
    held = 0
    for file, item in items:
        if item.row is None:
            broken.add(file, item.line, item.reason, item.text)
            continue
        block.append(item.row)
        held += item.size
        if len(block) == num_rows or held >= size:
            yield block
            block, held = [], 0
    if block:
        yield block


class _Kinds:
    """The types met in each column; what polars cannot hold counts as a type of its own."""

    def __init__(self) -> None:
        self._met: dict[str, set[type]] = {}

    def take(self, rows: Sequence[Row]) -> None:
        names = dict.fromkeys(name for row in rows for name in row)
        for name in names:
            cells = [row.get(name) for row in rows]
            kinds = set(map(type, cells)) - {type(None)}
            self._met.setdefault(name, set()).update(kinds)
            if len(kinds) == 1 and kinds <= {int, str} and not _fits(cells, *kinds):
                self._met[name].add(object)

    def dtypes(self) -> dict[str, Any]:
        """Type of each column, None: its JSON text."""
        found = {}
        for name, kinds in self._met.items():
            kinds = {float} if kinds == {int, float} else kinds
            only = next(iter(kinds), str)
            found[name] = _DTYPES.get(only) if len(kinds) <= 1 else None
        return found


def _fits(cells: Sequence[Any], kind: type) -> bool:
    """No integer over 64 bits and no lone surrogate."""
    try:
        pl.Series(cells, dtype=_DTYPES[kind])
    except (pl.exceptions.PolarsError, OverflowError, UnicodeError, TypeError):
        return False
    return True


def _frame(rows: Sequence[Row], dtypes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([_column(name, rows, dtype) for name, dtype in dtypes.items()])


def _column(name: str, rows: Sequence[Row], dtype: Any) -> pl.Series:
    cells = [row.get(name) for row in rows]
    if dtype is None:
        cells = [None if cell is None else json.dumps(cell) for cell in cells]
    return pl.Series(name, cells, dtype=dtype or pl.String)


def _no_rows(broken: BrokenLines) -> str:
    first = broken.first[0]
    return (
        f"{first['file']} holds no row that can be read: line {first['line']} is "
        f"{one_line(first['text'], 80)!r} ({first['reason']}). Expected parquet, Arrow, CSV with "
        "a header, a JSON array of objects, or one JSON object on each line."
    )
