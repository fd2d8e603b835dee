"""Text cut into the pieces that rows are: lines of JSONL, elements of a JSON array.

Lines end at \\n alone: `str.splitlines` would cut a row at U+2028. A byte order mark, \\r\\n and
blank lines are accepted. The elements of an array are found by their brackets before any is
parsed, so a bad element is set aside like a bad line; an array that never closes is refused.
Memory holds one block of pieces; a single piece has a cap. Nothing is parsed here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from ...pipeline.errors import RequestError
from .packed import Unpacked
from .rows import readable

MAX_ROW_BYTES = 64 << 20

Pieces: TypeAlias = tuple[list[int], list[bytes]]
"""Numbers from 1 (of lines, or of elements) and the bytes of each, without outer white space."""

BLANK: Final = b" \t\r\n"
_MARKS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
"""Strings, which hide brackets; the brackets and commas that are left; a quote without its end."""


def is_array(head: bytes) -> bool | None:
    """Whether JSON text begins an array or an object; None where it begins neither."""
    first = head.removeprefix(codecs.BOM_UTF8).lstrip(BLANK)[:1]
    return {b"[": True, b"{": False, b"": False}.get(first)


def lines(file: Unpacked, max_row: int = MAX_ROW_BYTES) -> Iterator[Pieces]:
    """The lines that are not blank, some megabytes at a time.

    Raises:
        RequestError: a line is longer than `max_row` bytes.
    """
    number, rest = 1, b""
    data = file.read().removeprefix(codecs.BOM_UTF8)
    while data:
        cut = data.rfind(b"\n") + 1
        if cut:
            whole = (rest + data[: cut - 1]).split(b"\n")
            yield _numbered(file, whole, number, max_row)
            number += len(whole)
            rest = data[cut:]
        else:
            rest += data
        _check_size(file, "line", number, len(rest), max_row)
        data = file.read()
    if rest:
        yield _numbered(file, [rest], number, max_row)


def elements(file: Unpacked, max_row: int = MAX_ROW_BYTES) -> Iterator[Pieces]:
    """The elements of the array that a file is.

    Raises:
        RequestError: the array never closes, something stands behind it, or an element is longer
            than `max_row` bytes.
    """
    number, size = 1, 0
    rest = file.read().removeprefix(codecs.BOM_UTF8).lstrip(BLANK).removeprefix(b"[")
    while True:
        data = file.read()
        found, rest, closed = _whole_elements(rest, not data, number == 1)
        size += sum(map(len, found))
        yield list(range(number, number + len(found))), found
        number += len(found)
        if closed:
            _check_end(file, rest + data)
            return
        if not data:
            break
        _check_size(file, "element", number, len(rest), max_row)
        rest += data
    raise RequestError(
        f"{file.path} is a JSON array that never closes ({number - 1} whole elements in {size} "
        "bytes): it was cut, or a quote in it is missing. Fetch it again, or give JSONL, where "
        "one bad row costs one row."
    )


def _numbered(file: Unpacked, whole: list[bytes], first: int, max_row: int) -> Pieces:
    stripped = [line.strip(BLANK) for line in whole]
    numbers = [number for number, line in enumerate(stripped, first) if line]
    kept = list(filter(None, stripped)) if len(numbers) < len(stripped) else stripped
    for number, line in zip(numbers, kept, strict=True):
        if len(line) > max_row:
            _check_size(file, "line", number, len(line), max_row)
    return numbers, kept


def _whole_elements(data: bytes, is_last: bool, is_first: bool) -> tuple[list[bytes], bytes, bool]:
    """The elements that end in `data`, what is behind them, and whether the array ends too."""
    found: list[bytes] = []
    depth, start = 1, 0
    for mark in _MARKS.finditer(data):
        sign = mark.group()
        if sign == b'"' and not is_last:
            break  # the end of this string has not been read yet
        if sign in (b"[", b"{"):
            depth += 1
        elif depth > 1:
            depth -= sign in (b"]", b"}")
        elif sign in (b",", b"]"):
            element = data[start : mark.start()].strip(BLANK)
            if element or sign == b"," or found or not is_first:  # [] holds none, [{},] a bad one
                found.append(element)
            start = mark.end()
            if sign == b"]":
                return found, data[start:], True
    return found, data[start:], False


def _check_end(file: Unpacked, rest: bytes) -> None:
    while not (rest := rest.strip(BLANK)):
        if not (rest := file.read()):
            return
    raise RequestError(
        f"{file.path}: {readable(rest[:20])!r} stands after the end of the JSON array. Expected "
        "one array, or JSONL."
    )


def _check_size(file: Unpacked, what: str, number: int, size: int, most: int) -> None:
    if size > most:
        raise RequestError(
            f"{file.path}:{number}: this {what} is larger than {most} bytes, the most that is "
            "read. Split it first."
        )
