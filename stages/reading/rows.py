"""Rows on their way in: as read, or set aside with the reason why they cannot be used.

Every row of a source becomes exactly one `Row` or one `Quarantined`, so the counts of `load`
close. What a row means is `columns.py`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

QUARANTINE_SCHEMA = pa.schema(
    [("row", pa.int64()), ("reason", pa.string()), ("text", pa.string())],
)
"""`row` is the line of a JSONL file, else the number of the row, from 1; `text` is all of it."""


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
    raw: bytes | None = None
    """The bytes that it was parsed from, where it was text."""

    def quarantined(self, reason: str) -> Quarantined:
        """The same row, set aside."""
        return Quarantined(self.number, reason, self._text())

    def _text(self) -> str:
        if self.raw is not None:
            return readable(self.raw)
        return json.dumps(dict(self.values), ensure_ascii=False, default=str)


def readable(raw: bytes) -> str:
    """Bytes as text that loses nothing: what is not UTF-8 becomes \\xNN."""
    return raw.decode("utf-8", "backslashreplace")
