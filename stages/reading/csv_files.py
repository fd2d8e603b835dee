"""CSV and TSV: a header and values that are all text, with quoted newlines.

The separator is the one of comma, tab, semicolon and bar that cuts the header into most columns. A
record with more or fewer values than the header, with a stray quote or with bytes that are not
UTF-8 costs itself alone. An empty value is no value (null): CSV has no other way to say so.
Nothing is taken for a number or a date: 007 stays 007.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from ...pipeline.errors import RequestError
from .blocks import LINE, OWN_ID, Block, Columns, Listed
from .packed import READ_BYTES, Unpacked
from .pieces import MAX_ROW_BYTES
from .rows import Quarantined, readable

SEPARATORS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


@dataclass(frozen=True)
class Record:
    """One record: its values, or why it has none."""

    number: int
    """The line on which it begins, from 1."""
    values: list[str]
    text: str
    reason: str | None = None


def read_csv(file: Unpacked) -> Iterator[Block]:
    """The rows of a CSV file.

    Raises:
        RequestError: the header is missing or names a column twice.
    """
    texts = _Lines(file)
    separator = separator_of(texts.first())
    records = _records(texts, separator)
    names = _header(file, next(records, None))
    while block := list(itertools.islice(records, _rows_for(texts))):
        yield from _blocks(file.path.name, names, block)


def separator_of(header: str) -> str:
    """The separator that cuts a header into most columns; the comma where none does."""
    sizes = {each: len(next(csv.reader([header], delimiter=each), [])) for each in SEPARATORS}
    return max(SEPARATORS, key=sizes.__getitem__)


class _Lines:
    """Lines with their ends for `csv.reader`; remembers those of the record it reads."""

    def __init__(self, file: Unpacked) -> None:
        self._file = file
        self._lines = self._cut()
        self._ahead: list[bytes] = []
        self.taken: list[bytes] = []
        self.number = 0
        """Lines handed out."""
        self.bytes = 0

    def first(self) -> str:
        """The first line, not taken yet."""
        self._ahead = list(itertools.islice(self._lines, 1))
        return _text(b"".join(self._ahead))

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._ahead.pop() if self._ahead else next(self._lines)
        self.number += 1
        self.bytes += len(line)
        self.taken.append(line)
        return _text(line)

    def _cut(self) -> Iterator[bytes]:
        rest = b""
        data = self._file.read().removeprefix(b"\xef\xbb\xbf")
        while data:
            *whole, rest = (rest + data).split(b"\n")
            yield from (line + b"\n" for line in whole)
            if len(rest) > MAX_ROW_BYTES:
                raise RequestError(
                    f"{self._file.path}:{self.number + 1}: this line is larger than "
                    f"{MAX_ROW_BYTES} bytes, the most that is read. Split it first."
                )
            data = self._file.read()
        if rest:
            yield rest


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _records(lines: _Lines, separator: str) -> Iterator[Record]:
    csv.field_size_limit(MAX_ROW_BYTES)  # of the process; the default refuses texts over 128 kB
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.taken.clear()
        number = lines.number + 1
        reason = None
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            values, reason = [], "malformed_csv"
        if not values and reason is None:
            continue  # a blank line
        raw = b"".join(lines.taken)
        if not raw.isascii() and not _is_utf8(raw):
            reason = "invalid_utf8"
        yield Record(number, values, readable(raw.rstrip(b"\r\n")), reason)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _header(file: Unpacked, record: Record | None) -> list[str]:
    if record is None:
        return []
    if record.reason:
        raise RequestError(f"{file.path}: its first line is no header: {record.reason}")
    names = [name.strip() for name in record.values]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise RequestError(f"{file.path} has several columns of the same name: {doubled}")
    if taken := {LINE, OWN_ID} & set(names):
        raise RequestError(f"{file.path} has a column {taken.pop()!r}; give it another name")
    return names


def _rows_for(lines: _Lines) -> int:
    """Rows of a block, by how long they have been so far."""
    size = lines.bytes // max(lines.number, 1)
    return max(1, min(10_000, READ_BYTES // max(size, 100)))


def _blocks(file: str, names: list[str], records: list[Record]) -> Iterator[Block]:
    """Runs of good records as columns, runs of bad ones as rows."""
    for reason, run in itertools.groupby(records, lambda each: _fault(each, len(names))):
        rows = list(run)
        if reason:
            yield Listed(file, [Quarantined(row.number, reason, row.text) for row in rows])
        else:
            yield _columns(file, names, rows)


def _fault(record: Record, width: int) -> str | None:
    if record.reason or len(record.values) == width:
        return record.reason
    return "too_few_values" if len(record.values) < width else "too_many_values"


def _columns(file: str, names: list[str], rows: list[Record]) -> Columns:
    columns = zip(*(row.values for row in rows), strict=True)
    frame = pl.DataFrame(
        dict(zip(names, map(list, columns), strict=True)), dict.fromkeys(names, pl.String)
    )
    frame = frame.with_columns(pl.all().replace("", None))
    lines = pl.Series(LINE, [row.number for row in rows], dtype=pl.Int64)
    return Columns(file, frame.with_columns(lines), lambda at: rows[at].text)
