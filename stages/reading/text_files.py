"""JSONL and JSON arrays, plain or gzipped, read as bytes so that one bad row costs one row.

Lines end at \\n alone: `str.splitlines` would cut a row at U+2028. A byte order mark, \\r\\n and
blank lines are accepted. The elements of an array are found by their brackets first and parsed
one by one, so a bad element is set aside like a bad line; an array that never closes is refused
as a whole. Memory is bounded: a row, an array and an unpacked file each have a cap.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from ...pipeline.errors import RequestError
from .rows import BadRow, Quarantined, Row, readable
from .strict_json import parse_object

MAX_ROW_BYTES = 64 << 20
MAX_ARRAY_BYTES = 1 << 30
"""An array is held in memory while it is read."""
MAX_UNPACKED_BYTES = 64 << 30
"""What a gzipped file may unpack to, so that a few kilobytes of zeros do not run for days."""

_BLANK = b" \t\r\n"
_GZIP = b"\x1f\x8b"
_LINE_SUFFIXES = (".jsonl", ".ndjson")
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)
"""Strings, which hide brackets, and the brackets and commas that are left."""


def read_text_rows(
    path: Path, max_row: int = MAX_ROW_BYTES, max_unpacked: int = MAX_UNPACKED_BYTES
) -> Iterator[Row | Quarantined]:
    """Rows of a JSONL file or a JSON array.

    Raises:
        RequestError: the file is neither, is cut, or is larger than a cap; the message names it.
    """
    with _opened(path) as file, _damage_named(path):
        if _holds_array(path, file):
            yield from _array_rows(path, file)
        else:
            yield from _line_rows(path, file, max_row, max_unpacked)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if packed:
            with gzip.open(file) as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            yield file


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RequestError(
            f"{path} is not a whole gzip file: {error}. Fetch it again, or unpack what is "
            "left of it and give the unpacked file."
        ) from error


def _holds_array(path: Path, file: IO[bytes]) -> bool:
    """Whether the file is an array; decided by its name or its first character."""
    names = [path.suffix.lower(), path.with_suffix("").suffix.lower()]
    if names[0] in _LINE_SUFFIXES or (names[0] == ".gz" and names[1] in _LINE_SUFFIXES):
        return False
    head = file.read(4096)
    file.seek(0)
    first = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)[:1]
    if first not in (b"", b"[", b"{"):
        raise RequestError(
            f"{path} begins with {readable(head[:12])!r}: neither JSONL, a JSON array nor "
            "parquet. Convert it to one of these (a gzipped one will do)."
        )
    return first == b"["


def _line_rows(
    path: Path, file: IO[bytes], max_row: int, max_unpacked: int
) -> Iterator[Row | Quarantined]:
    unpacked = 0
    for number in itertools.count(1):
        line = file.readline(max_row + 1)
        if not line:
            return
        unpacked += len(line)
        _check_size(f"{path}:{number}: this line", len(line), max_row)
        _check_size(f"{path}: what it unpacks to", unpacked, max_unpacked)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line := line.strip(_BLANK):
            yield _row(number, line)


def _array_rows(path: Path, file: IO[bytes]) -> Iterator[Row | Quarantined]:
    data = file.read(MAX_ARRAY_BYTES + 1)
    _check_size(f"{path}: this JSON array", len(data), MAX_ARRAY_BYTES, "Write it as JSONL.")
    depth, start = 0, 0
    elements = itertools.count(1)
    for mark in _MARKS.finditer(data):
        sign = mark.group()
        if sign in (b"[", b"{"):
            depth += 1
            start = mark.end() if depth == 1 else start
            continue
        ends = sign in (b"]", b"}")
        if depth == 1 and (ends or sign == b","):
            element = data[start : mark.start()].strip(_BLANK)
            number = next(elements)
            if element or number > 1 or not ends:  # [] holds no element, [{},] a broken one
                yield _row(number, element)
            start = mark.end()
        depth -= ends
        if depth == 0 and sign == b"]":
            _check_rest(path, data[mark.end() :])
            return
    raise RequestError(
        f"{path} is a JSON array that never closes ({next(elements) - 1} whole elements in "
        f"{len(data)} bytes): it was cut, or a quote in it is missing. Fetch it again, or give "
        "JSONL, where one bad row costs one row."
    )


def _check_rest(path: Path, rest: bytes) -> None:
    if rest.strip(_BLANK):
        raise RequestError(
            f"{path}: {readable(rest.strip(_BLANK)[:20])!r} stands after the end of the JSON "
            "array. Expected one array, or JSONL."
        )


def _row(number: int, data: bytes) -> Row | Quarantined:
    try:
        return Row(number, parse_object(data), data)
    except BadRow as bad:
        return Quarantined(number, bad.reason, readable(data))


def _check_size(what: str, size: int, most: int, remedy: str = "Split or unpack it first.") -> None:
    if size > most:
        raise RequestError(f"{what} is larger than {most} bytes, the most that is read. {remedy}")
