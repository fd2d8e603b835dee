"""The elements of a JSON array, or JSON values one after another, without holding the whole file.

The text is decoded piece by piece and the standard decoder asked for one value at a time; where it
fails more is read, twice as much each time, so that a large element costs no square. A value that
is damaged ends the reading: what stands behind it cannot be told apart.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

MAX_ROW: Final = 1 << 28
"""Bytes of the longest row that is read, 268 MB."""
_PIECE: Final = 1 << 20
_BETWEEN: Final = " \t\r\n,"


class JsonDamage(ValueError):
    """No value can be read any more; `text` is where it begins."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def json_values(stream: BinaryIO) -> Iterator[tuple[Any, int]]:
    """Each value and the characters it takes; a list around all of them is opened.

    Raises:
        JsonDamage: what follows is no JSON, not UTF-8, too deep or too long.
    """
    decoder = json.JSONDecoder()
    text = _Text(stream)
    in_array = text.next_character() == "["
    if in_array:
        text.at += 1
    while (first := text.next_character()) and not (in_array and first == "]"):
        try:
            value, end = decoder.raw_decode(text.held, text.at)
        except RecursionError as error:
            raise JsonDamage(text.rest()) from error
        except ValueError as error:
            if not text.grow():
                raise JsonDamage(text.rest()) from error
            continue
        if end == len(text.held) and first not in "[{" and text.grow():
            continue  # a number may go on in the next piece
        yield value, end - text.at
        text.at = end
    if in_array and not first:
        raise JsonDamage("the list is not closed: the file is cut")


class _Text:
    """What was read and not used yet."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._ended = False
        self.held = ""
        self.at = 0

    def next_character(self) -> str:
        """The first character that is not between two values; "" at the end."""
        while True:
            while self.at < len(self.held):
                if self.held[self.at] not in _BETWEEN:
                    return self.held[self.at]
                self.at += 1
            if not self.grow():
                return ""

    def grow(self) -> bool:
        """Read as much again as is held; whether there was more."""
        self.held, self.at = self.held[self.at :], 0
        if self._ended or len(self.held) > MAX_ROW:
            return False
        piece = self._stream.read(max(_PIECE, len(self.held)))
        try:
            self.held += self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:  # what stands before it can be read
            self.held += error.object[: error.start].decode("utf-8")
            self._ended = True
            return error.start > 0
        return bool(piece)

    def rest(self) -> str:
        """The start of what could not be read."""
        return self.held[self.at : self.at + 2000]
