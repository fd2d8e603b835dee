"""Cut a text into sentences and clauses, as spans.

A sentence ends at a line end, at the full stops of all scripts, and at `.`, `!`, `?` and `;` with
white space behind them. Abbreviations are not known: `e.g. this` is two pieces, which costs the
judging of languages nothing. It is for text whose math is masked (`masking.py`): a full stop
inside a formula would end a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

_CLOSERS: Final = "[\"'”’»」』）)\\]*_]*+"
_SENTENCE_END: Final = re.compile(
    rf"[\n.!?;。！？；…।॥؟۔](?:(?<=[\n。！？；।॥؟۔]){_CLOSERS}\s*+|{_CLOSERS}(?:\s++|\Z))"
)
_CLAUSE: Final = re.compile(r"[^,;:()\[\]—–，、；：（）،؛]+")


def sentences(text: str) -> Iterator[Span]:
    """Spans that together are the whole of `text`; some hold no word."""
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        yield begin, end.end()
        begin = end.end()
    if begin < len(text):
        yield begin, len(text)


def sentence_end(text: str, at: int) -> int:
    """Where the sentence ends that a letter at `at` stands in."""
    found = _SENTENCE_END.search(text, at)
    return found.end() if found else len(text)


def clauses(text: str, start: int, end: int) -> Iterator[Span]:
    """What stands between commas, colons, dashes and brackets in a part of `text`."""
    for found in _CLAUSE.finditer(text, start, end):
        yield found.span()
