"""What may stand for a column in a recipe: a name, or a text with `$name` in it.

    answer: key                                      the column, as it is
    prompt: "$instruction\n${input?}"                a text; `?` marks a column that may be missing
    completion: "<think>\n$worked\n</think>\n$key"   a missing `worked` sets the row aside

A bare name copies a value exactly. A text is laid out by whoever wrote it, so white space at its
end is trimmed. `${any name}` takes names with spaces in them, `$$` is a dollar sign.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

from .rows import BadRow


class Expression(Protocol):
    """Where the value of a field comes from."""

    source: str
    """As the recipe spells it."""

    @property
    def required(self) -> frozenset[str]:
        """Columns that a row must have for this to say anything."""

    @property
    def used(self) -> frozenset[str]:
        """Columns that it reads."""

    def value(self, row: Mapping[str, Any]) -> Any:
        """The value for a row, None where there is none; BadRow where it cannot be made."""


class Column:
    """A column by name."""

    def __init__(self, name: str) -> None:
        self.source = name
        self.required = self.used = frozenset({name})

    def value(self, row: Mapping[str, Any]) -> Any:
        return row.get(self.source)


class _Template(string.Template):
    braceidpattern = r"[^{}?]+\??"


class Text:
    """A template over a row's columns; raises ValueError where it is not well formed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._template = _Template(source)
        if not self._template.is_valid():
            raise ValueError(f"{source!r} has a '$' that begins no column; write '$$' for a dollar")
        names = self._template.get_identifiers()
        self.required = frozenset(name for name in names if not name.endswith("?"))
        self.used = frozenset(name.removesuffix("?") for name in names)

    def parts(self) -> Iterator[tuple[str, str | None, bool]]:
        """(text before it, column or None at the end, whether it may be missing), in order."""
        at, text = 0, ""
        for mark in _Template.pattern.finditer(self.source):
            text += self.source[at : mark.start()]
            at = mark.end()
            if mark["escaped"] is not None:
                text += "$"
                continue
            name = mark["named"] or mark["braced"]
            yield text, name.removesuffix("?"), name.endswith("?")
            text = ""
        yield text + self.source[at:], None, False

    def value(self, row: Mapping[str, Any]) -> str:
        parts = {name: _part(row.get(name), name) for name in self.required}
        parts |= {f"{name}?": _optional(row.get(name), name) for name in self.used}
        return self._template.substitute(parts).rstrip()


def expression(source: str) -> Expression:
    """Parse what a recipe says; raises ValueError for a malformed text."""
    return Text(source) if "$" in source else Column(source)


def as_text(value: Any, name: str) -> str:
    """A string or a number as text; nothing is rounded or shortened (27.0 stays "27.0").

    Raises:
        BadRow: the value is of another type, or not a finite number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise BadRow(f"wrong_type:{name}")
    if not math.isfinite(value):
        raise BadRow("nan_value")
    return str(value)


def _part(value: Any, name: str) -> str:
    if value is None:
        raise BadRow(f"missing:{name}")
    return as_text(value, name)


def _optional(value: Any, name: str) -> str:
    return "" if value is None else as_text(value, name)
