"""Read a part of a completion: its words, how many are in the target language, where others stand.

Math, code and quotations are masked first; each sentence is given a language where its script
leaves one open; then the words of other scripts and of foreign sentences are foreign, except for
what is excused (`excuses.py`). Words that are masked or excused are counted nowhere.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from .detector import guess
from .east_asian import EastAsian, is_japanese, without_glosses
from .excuses import Excuses
from .function_words import owners
from .letters import other_letters, own_letters
from .masking import mask
from .own_script import OwnScript, Piece
from .quotations import without_quotations
from .runs import Run, kind_of, matches, run_of, runs_in
from .scripts import (
    LANGUAGE_OF_SCRIPT,
    SCRIPTS_OF_LANGUAGE,
    UNDETERMINED,
    WITHOUT_SPACES,
)
from .segments import sentence_end


class Foreign(NamedTuple):
    """Neighbouring foreign words; offsets into the text that was read."""

    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a part of a completion."""

    words: int
    """Words counted: those in the target language and those in others."""
    target_words: int
    foreign: Sequence[Foreign]

    @property
    def share(self) -> float:
        """Share of words in the target language; 1.0 where there is no word at all."""
        return self.target_words / self.words if self.words else 1.0


_LIKELY: Final = 0.4
"""Probability at which the library may name the language of words that are foreign anyway."""
_LONGEST_JOINING: Final = 3
_NOT_JOINING: Final = re.compile(r"[\w\n]")
"""Up to three spaces and commas between two foreign words do not split a span."""


def read(text: str, target: str, excuses: Excuses) -> Reading:
    """Read a text that should be in the target language."""
    masked = without_quotations(mask(text))
    if target == "ko":
        masked = without_glosses(masked)
    known, pieces = _reader(target).survey(masked)
    runs = [*_foreign_runs(masked, pieces, target)]
    known -= sum(run.size for run, _ in runs if run.script in SCRIPTS_OF_LANGUAGE[target])
    found: list[tuple[Run, str]] = []
    for run, language in runs:
        left = excuses.left_of(run, masked, with_phrases=known > 0)
        if left.words:
            found.append((left, language or _language_of(run)))
    return Reading(known + sum(run.size for run, _ in found), known, _spans(found, masked))


@cache
def _reader(target: str) -> OwnScript | EastAsian:
    return EastAsian(target) if target in ("zh", "ja", "ko") else OwnScript(target)


Found = Iterator[tuple[Run, str | None]]
"""Runs that are foreign unless excused, in order, with their language where that is known."""


def _foreign_runs(text: str, pieces: Iterable[Piece], target: str) -> Found:
    at = 0
    for (start, end), inside in groupby(pieces, key=lambda piece: piece.sentence):
        yield from _of_other_scripts(text, at, start, target)
        yield from _in_sentence(text, start, end, [*inside], target)
        at = end
    yield from _of_other_scripts(text, at, len(text), target)


def _of_other_scripts(text: str, at: int, end: int, target: str) -> Found:
    """In sentences without foreign pieces: only stretches between own words are looked at."""
    own = SCRIPTS_OF_LANGUAGE[target]
    if text.isascii() and "Latin" in own:
        return
    letters, own_letter, between = other_letters(target), *own_letters(target)
    stop = at
    while letter := letters.search(text, at, end):
        start = letter.start()
        if start >= stop:
            stop = sentence_end(text, start)
        next_own = own_letter.search(text, start, stop)
        while start > at and between.match(text, start - 1):
            start -= 1
        at = next_own.start() if next_own else stop
        for run in runs_in(text, start, at):
            if run.script not in own:
                yield run, None


def _in_sentence(text: str, start: int, end: int, pieces: Sequence[Piece], target: str) -> Found:
    """In a sentence with foreign pieces."""
    own = SCRIPTS_OF_LANGUAGE[target]
    begins = [piece.start for piece in pieces]

    def kind(word: re.Match[str]) -> tuple[str, str | None] | None:
        script = kind_of(word)
        if word.lastgroup not in own:
            return script, None
        number = bisect_right(begins, word.start()) - 1
        if number < 0 or word.start() >= pieces[number].end:
            return None
        return script, pieces[number].language

    for key, group in groupby(matches(text, start, end), key=kind):
        if key is not None:
            yield run_of(group), key[1]


def _language_of(run: Run) -> str:
    """The language of words in a script that is not the target's."""
    said = " ".join(run.words)
    if run.script in WITHOUT_SPACES:
        return "ja" if run.script == "Kana" or is_japanese(said) else "zh"
    listed = Counter(map(owners(run.script).get, run.words))
    del listed[None]
    if listed:
        return max(sorted(filter(None, listed)), key=lambda each: listed[each])
    if run.script not in ("Latin", "Cyrillic", "Arabic", "Devanagari"):
        return LANGUAGE_OF_SCRIPT.get(run.script, UNDETERMINED)
    language, probability = guess(said, run.script)
    if probability >= _LIKELY:
        return language
    return LANGUAGE_OF_SCRIPT.get(run.script, UNDETERMINED)


def _spans(found: Iterable[tuple[Run, str]], text: str) -> list[Foreign]:
    """Neighbouring foreign words become one span: a phrase is easier to read than its letters."""
    merged: list[Foreign] = []
    start, end, spoken = 0, 0, ""
    for run, language in found:
        for begin, stop in run.places:
            if language == spoken and begin - end <= _LONGEST_JOINING and _joins(text[end:begin]):
                end = stop
                continue
            if spoken:
                merged.append(Foreign(start, end, spoken))
            start, end, spoken = begin, stop, language
    return [*merged, Foreign(start, end, spoken)] if spoken else merged


@lru_cache(maxsize=1024)
def _joins(between: str) -> bool:
    return not _NOT_JOINING.search(between)
