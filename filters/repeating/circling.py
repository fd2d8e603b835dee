"""What `repetition.py` weighs: which loops are serious, and how much of a text was said before.

All spans are of the text that is given, in which code, tables and aligned math may be blanked. A
share is one of words or characters, so a long text may repeat more than a short one; what is dense
in one place of it is told by `densest`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ...models.thinking import Span
from ..languages.words import tokens
from .loops import Loop, find_loops
from .utterances import Utterance

LOOP_CHARACTERS: Final = 60
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
    numbers: dict[str, int] = {}
    line = "".join(
        chr(min(numbers.setdefault(each.says, len(numbers)), sys.maxunicode)) for each in pieces
    )
    rows = [
        loop
        for loop in find_loops(line, 1)
        if loop.times >= max(repeats, _ROWS)
        and any(each.is_meaningful for each in pieces[loop.start : loop.start + loop.period])
    ]
    if not rows:
        return None
    longest = max(rows, key=lambda loop: loop.end - loop.start)
    return pieces[longest.start].start, pieces[longest.end - 1].end


def said_again(pieces: Sequence[Utterance]) -> Said:
    """Share of the characters in pieces said for the third time or more."""
    again = [each for each in pieces if each.times >= 2 and not each.fresh and each.is_meaningful]
    whole = sum(each.end - each.start for each in pieces)
    share = sum(each.end - each.start for each in again) / whole if whole else 0.0
    return Said(share, [each.span for each in again])


def ngram_said(text: str, size: int, sentences: Sequence[Utterance]) -> Said:
    """Share of the words in n-grams seen before, sentences that are fresh left out."""
    found = tokens(_COMMAND.sub(lambda match: " " * len(match.group()), text))
    words = [word for word, _, _ in found]
    ngrams = list(zip(*(words[skip:] for skip in range(size)), strict=False))
    if len(set(ngrams)) == len(ngrams):
        return Said(0.0)
    times = _times_seen(ngrams, len(words), size)
    _forget_fresh(times, found, sentences)
    share = (len(times) - times.count(0)) / len(times)
    return Said(share, _stretches(times, found), _densest(times))


def _times_seen(ngrams: Sequence[tuple[str, ...]], words: int, size: int) -> bytearray:
    """How often the n-grams over each word were seen before: never, once, or more (2)."""
    seen: dict[tuple[str, ...], int] = {}
    times = bytearray(words)
    once = twice = 0  # up to where the words are covered
    for at in range(words):
        if at < len(ngrams):
            before = seen.get(ngrams[at], 0)
            seen[ngrams[at]] = before + 1
            before = before if before and any(map(str.isalpha, ngrams[at])) else 0  # not 2 + 2 + 2
            once = at + size if before else once
            twice = at + size if before > 1 else twice
        times[at] = (at < once) + (at < twice)
    return times


def _forget_fresh(
    times: bytearray, found: Sequence[tuple[str, int, int]], sentences: Sequence[Utterance]
) -> None:
    word = 0
    for sentence in sentences:
        while word < len(found) and found[word][1] < sentence.end:
            if sentence.fresh:
                times[word] = 0
            word += 1


def _stretches(times: bytearray, found: Sequence[tuple[str, int, int]]) -> list[Span]:
    spans = []
    for stretch in re.finditer(rb"[^\x00]+", times):
        spans.append((found[stretch.start()][1], found[stretch.end() - 1][2]))
    return spans


def _densest(times: bytearray) -> float:
    if len(times) < 2 * _WINDOW:
        return 0.0
    inside = most = times[:_WINDOW].count(2)
    for end in range(_WINDOW, len(times)):
        inside += (times[end] == 2) - (times[end - _WINDOW] == 2)
        most = max(most, inside)
    return most / _WINDOW
