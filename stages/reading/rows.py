"""Rows on their way in: as read, or set aside with the reason why they cannot be used.

Every row of a source becomes exactly one `Row` or one `Quarantined`, so the counts of `load`
close. What a row means is `columns.py`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

QUARANTINE_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("text", pa.string()),
    ]
)
"""The name of the file; the line of a text file, else the number of the row in it, from 1; why it
was set aside; and all of it."""


class BadRow(Exception):
    """A row cannot be used; the reason is snake_case, `:column` behind it where one is named."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that was set aside."""

    number: int
    reason: str
    text: str
    """The row as it came; bytes that are not UTF-8 are written as \\xNN."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: plain values by column."""

    number: int
    values: Mapping[str, Any]
    raw: bytes | Callable[[], str] | None = None
    """What it was parsed from, where it was text: the bytes, or how to get at the text."""

    def quarantined(self, reason: str) -> Quarantined:
        """The same row, set aside."""
        return Quarantined(self.number, reason, self._text())

    def _text(self) -> str:
        if self.raw is None:
            return as_json(self.values)
        return readable(self.raw) if isinstance(self.raw, bytes) else self.raw()


def as_json(values: Mapping[str, Any]) -> str:
    """A row as a line of JSON, for people: what JSON has no form for is written as Python does."""
    return json.dumps(dict(values), ensure_ascii=False, default=str)


def readable(raw: bytes) -> str:
    """Bytes as text that loses nothing: what is not UTF-8 becomes \\xNN."""
    return raw.decode("utf-8", "backslashreplace")
