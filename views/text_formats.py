"""Rows of text files, one after another, as they are: JSONL, JSON, CSV and TSV, also compressed.

What a file is is told by its first bytes and only then by its name. A line that is no row is given
back with its number and the reason, never left out. Nothing is given a meaning here: cells of CSV
stay text, and JSON values what they are. Memory holds one row (`json_stream.py`: one element).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from ..pipeline.errors import RequestError
from .json_stream import MAX_ROW, JsonDamage, json_values

DELIMITERS = ",;\t|"
_GZIP, _ZSTD, _BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"
_BUFFER = 1 << 20
_START = 4096
"""Bytes by which a format is told."""


class Item(NamedTuple):
    """A row, or a line that is none."""

    row: dict[str, Any] | None
    size: int
    """Bytes or characters that it takes, about."""
    line: int = 0
    reason: str = ""
    text: str = ""


def text_items(file: Path) -> Iterator[Item]:
    """The rows and broken lines of one file, in order.

    Raises:
        RequestError: it cannot be opened, or its compression is damaged.
    """
    try:
        with open_text(file) as stream:
            start = stream.peek(_START)[:_START].removeprefix(_BOM)  # type: ignore[attr-defined]
            yield from _reader(file, start)(stream)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        told = getattr(error, "strerror", None) or str(error).strip().split("\n")[0]
        raise RequestError(f"{file} cannot be read: {told}") from error


def open_text(file: Path) -> BinaryIO:
    """The bytes of a file, decompressed where they are gzip or zstd."""
    opened = io.BufferedReader(file.open("rb", buffering=0), _BUFFER)
    start = opened.peek(4)
    if start[:2] == _GZIP:
        return io.BufferedReader(gzip.GzipFile(fileobj=opened))
    if start[:4] == _ZSTD:
        return io.BufferedReader(pa.CompressedInputStream(opened, "zstd"))
    return opened


def _reader(file: Path, start: bytes) -> Any:
    names = [suffix.lower() for suffix in file.suffixes[-2:]]
    if ".tsv" in names or ".csv" in names:
        delimiter = "\t" if ".tsv" in names else _delimiter(start)
        return lambda stream: _csv_items(stream, delimiter)
    first = start.lstrip()
    if ".jsonl" in names or ".ndjson" in names or not first.startswith((b"[", b"{")):
        return _jsonl_items
    return _jsonl_items if first.startswith(b"{") and _is_json(first) else _json_items


def _is_json(start: bytes) -> bool:
    """Whether the first line is a value of its own, or too long to say."""
    line, end, _ = start.partition(b"\n")
    try:
        json.loads(line)
    except ValueError:
        return not end and len(start) > _START // 2
    return True


def _jsonl_items(stream: BinaryIO) -> Iterator[Item]:
    decode = json.JSONDecoder().decode  # loads() looks for other encodings in each line
    for number, line in enumerate(iter(lambda: stream.readline(MAX_ROW), b""), start=1):
        if line.isspace():
            continue
        try:
            value = decode(str(line, "utf-8", "surrogatepass").removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            yield Item(None, len(line), number, "malformed_json", _text(line))
        else:
            reason = _no_row(value)
            raw = _text(line) if reason else ""
            yield Item(None if reason else value, len(line), number, reason, raw)


def _no_row(value: Any) -> str:
    """Why a JSON value is no row; nothing for one that is."""
    if not isinstance(value, dict) or not value:
        return "not_an_object"
    try:
        "".join(value).encode()
    except UnicodeEncodeError:  # half a character, which no column can be called
        return "not_utf8"
    return ""


def _json_items(stream: BinaryIO) -> Iterator[Item]:
    number = 0
    try:
        for number, (value, size) in enumerate(json_values(stream), start=1):
            reason = _no_row(value)
            yield (
                Item(None, size, number, reason, json.dumps(value)) if reason else Item(value, size)
            )
    except JsonDamage as damage:  # nothing behind it can be told apart
        yield Item(None, len(damage.text), number + 1, "malformed_json", damage.text)


def _csv_items(stream: BinaryIO, delimiter: str) -> Iterator[Item]:
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    csv.field_size_limit(MAX_ROW)
    rows = csv.reader(text, delimiter=delimiter)
    names: list[str] | None = None
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield Item(None, 0, rows.line_num, "malformed_csv", str(error))
            continue
        if cells is None:
            return
        if names is None:
            names = _distinct([_shown(cell) for cell in cells])
        elif cells:
            yield _csv_item(names, cells, rows.line_num, delimiter)


def _csv_item(names: Sequence[str], cells: Sequence[str], line: int, delimiter: str) -> Item:
    text = delimiter.join(cells)
    raw = text.encode("utf-8", "surrogateescape")
    if len(cells) != len(names):
        return Item(None, len(raw), line, "ragged", _text(raw))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return Item(None, len(raw), line, "not_utf8", _text(raw))
    return Item(dict(zip(names, cells, strict=True)), len(raw))


def _shown(name: str) -> str:
    """Bytes of a name that are no UTF-8 as their escapes."""
    return _text(name.encode("utf-8", "surrogateescape"))


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of columns; one that comes again is `name_2`, or the cells before would be hidden."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _delimiter(start: bytes) -> str:
    head = start.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(DELIMITERS, key=head.count)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")
