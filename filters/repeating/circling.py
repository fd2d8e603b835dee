"""What `repetition.py` weighs: which loops are serious, and how much of a text was said before.

All spans are of the text that is given, in which code, tables and aligned math may be blanked. A
share is one of words or characters, so a long text may repeat more than a short one; what is dense
in one place of it is told by `densest`.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add, sub
from typing import Final

from ...models.thinking import Span
from ..languages.words import token_spans, token_texts
from .loops import SHORTEST_LOOP, Loop, find_loops, may_loop
from .utterances import Utterance

LOOP_CHARACTERS: Final = SHORTEST_LOOP
"""Shortest loop: spares `ha ha ha` and ellipses; four short sentences are longer."""
_LONG_PIECE: Final = 200
"""Characters of a piece that nobody says three times in a row."""
_SUMS: Final = (25, 150)
"""Times and characters of the shortest loop without words: spares sums, rules, long decimals."""
_LAYOUT: Final = (25, 600)
"""The same inside a table, fence or environment that is closed: spares matrices and arrays."""
_GRAM: Final = 12
_ROWS: Final = 6
"""Pieces in a row that say the same without being equal: spares lists of four equal cases."""
_WINDOW: Final = 200
"""Words in which `densest` looks; a problem is shorter, and it may be quoted more than once."""
_COMMAND: Final = re.compile(r"\\[A-Za-z]+|&[a-z]+;")
_WORD: Final = re.compile(r"[^\W\d_]{2}|[\u3041-\u30fa\u3400-\u9fff\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class Said:
    """How much of a text was said before, and where it stands."""

    share: float
    spans: list[Span] = field(default_factory=list)
    densest: float = 0.0
    """Share in the worst stretch of `_WINDOW` words of what was said *twice* before."""


def serious_loops(
    text: str, prose: str, ends: Sequence[int], repeats: int
) -> list[tuple[Loop, bool]]:
    """Loops that count, those at an end (True) first, the longest first.

    Args:
        prose: `text` with layout blanked.
        ends: where thought and answer end.
    """
    if not may_loop(text):
        return []
    loops = [loop for loop in find_loops(text, _GRAM) if _counts(loop, text, prose, repeats)]
    found = [(loop, any(_reaches(loop, end, text) for end in ends)) for loop in loops]
    return sorted(found, key=lambda each: (not each[1], each[0].start - each[0].end))


def _counts(loop: Loop, text: str, prose: str, repeats: int) -> bool:
    length = loop.end - loop.start
    piece = _COMMAND.sub(" ", text[loop.start : loop.start + loop.period])
    if not _WORD.search(piece + piece):
        times, least = _SUMS
    elif 2 * _visible(prose[loop.start : loop.end]) < _visible(text[loop.start : loop.end]):
        times, least = _LAYOUT
    else:
        times, least = repeats - (loop.period >= _LONG_PIECE), LOOP_CHARACTERS
    # Cut by the end of the text, the last time may lack its separator.
    return loop.end - loop.start + 1 >= times * loop.period and length >= least


def _visible(text: str) -> int:
    return len(text) - text.count(" ") - text.count("\n")


def _reaches(loop: Loop, end: int, text: str) -> bool:
    return loop.end >= end or (
        end - loop.end <= LOOP_CHARACTERS and not text[loop.end : end].strip()
    )


def in_a_row(pieces: Sequence[Utterance], repeats: int) -> Span | None:
    """Where the longest row of pieces that say the same stands, if it is long enough."""
    times = max(repeats, _ROWS)
    if max((each.times for each in pieces), default=0) + 1 < times:
        return None
    rows = [
        loop
        for loop in find_loops(_as_line([each.says for each in pieces]), 1)
        if loop.times >= times
        and any(each.is_meaningful for each in pieces[loop.start : loop.start + loop.period])
    ]
    if not rows:
        return None
    longest = max(rows, key=lambda loop: loop.end - loop.start)
    return pieces[longest.start].start, pieces[longest.end - 1].end


def _as_line(pieces: Sequence[str]) -> str:
    """A character for every piece, the same for equal ones."""
    signs = {
        piece: chr(min(number, sys.maxunicode))
        for number, piece in enumerate(dict.fromkeys(pieces))
    }
    return "".join(map(signs.__getitem__, pieces))


def said_again(pieces: Sequence[Utterance]) -> Said:
    """Share of the characters in pieces said for the third time or more."""
    again = [each for each in pieces if each.times >= 2 and not each.fresh and each.is_meaningful]
    whole = sum(each.end - each.start for each in pieces)
    share = sum(each.end - each.start for each in again) / whole if whole else 0.0
    return Said(share, [each.span for each in again])


def ngram_said(text: str, size: int, sentences: Sequence[Utterance]) -> Said:
    """Share of the words in n-grams seen before, sentences that are fresh left out."""
    text = _COMMAND.sub(lambda match: " " * len(match.group()), text)
    words = token_texts(text)
    times = _times_seen(words, size)
    if not any(times):
        return Said(0.0)
    spans = token_spans(text)
    _forget_fresh(times, [start for start, _ in spans], sentences)
    share = (len(times) - times.count(0)) / len(times)
    return Said(share, _stretches(times, spans), _densest(times))


def _times_seen(words: Sequence[str], size: int) -> bytearray:
    """How often the n-grams over each word were seen before: never, once, or more (2)."""
    line = _as_line(words)
    ngrams = [line[at : at + size] for at in range(len(line) - size + 1)]
    seen = Counter(ngrams)
    once, twice = bytearray(len(words)), bytearray(len(words))
    if len(seen) == len(ngrams):
        return once
    repeated = [(at, ngram) for at, ngram in enumerate(ngrams) if seen[ngram] > 1]
    seen.clear()
    for at, ngram in repeated:
        before = seen[ngram]
        seen[ngram] = before + 1
        if before and any(map(str.isalpha, words[at : at + size])):  # not 2 + 2 + 2
            once[at : at + size] = b"\1" * size
            if before > 1:
                twice[at : at + size] = b"\1" * size
    return bytearray(map(add, once, twice))


def _forget_fresh(times: bytearray, starts: Sequence[int], sentences: Sequence[Utterance]) -> None:
    for sentence in sentences:
        if sentence.fresh:
            first, end = bisect_left(starts, sentence.start), bisect_left(starts, sentence.end)
            times[first:end] = bytes(end - first)


def _stretches(times: bytearray, spans: Sequence[Span]) -> list[Span]:
    return [
        (spans[stretch.start()][0], spans[stretch.end() - 1][1])
        for stretch in re.finditer(rb"[^\x00]+", times)
    ]


def _densest(times: bytearray) -> float:
    if len(times) < 2 * _WINDOW or 2 not in times:
        return 0.0
    before = [0, *accumulate(each == 2 for each in times)]  # how many, up to each word
    most: int = max(map(sub, before[_WINDOW:], before))
    return most / _WINDOW
