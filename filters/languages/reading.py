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
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from .detector import guess
from .east_asian import EastAsian, is_japanese, without_glosses
from .excuses import Excuses, Word, words_of
from .function_words import owners
from .masking import mask
from .own_script import OwnScript, Piece
from .quotations import without_quotations
from .scripts import (
    HAN,
    LANGUAGE_OF_SCRIPT,
    SCRIPTS,
    SCRIPTS_OF_LANGUAGE,
    SIGNS,
    UNDETERMINED,
    WITHOUT_SPACES,
)
from .segments import Span, sentences


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


_JOINING: Final = re.compile(r"[^\w\n]{0,3}")
"""Spaces and commas between two foreign words do not split a span."""
_LIKELY: Final = 0.4
"""Probability at which the library may name the language of words that are foreign anyway."""


def read(text: str, target: str, excuses: Excuses) -> Reading:
    """Read a text that should be in the target language."""
    masked = without_quotations(mask(text))
    if target == "ko":
        masked = without_glosses(masked)
    spans = list(sentences(masked))
    known, pieces = _reader(target).survey(masked, spans)
    runs: list[tuple[list[Word], str | None]] = []
    for start, end, inside in _suspects(masked, spans, pieces, target):
        runs += _runs(words_of(masked, start, end), inside, target)
    known -= sum(_own_words(run, target) for run, _ in runs)
    found: list[tuple[Word, str]] = []
    for run, language in runs:
        left = excuses.left_of(run, masked, with_phrases=known > 0)
        if left:
            spoken = language or _language_of(run)
            found += [(word, spoken) for word in left]
    return Reading(known + sum(word.size for word, _ in found), known, _spans(found, masked))


def _own_words(run: Sequence[Word], target: str) -> int:
    if run[0].script not in SCRIPTS_OF_LANGUAGE[target]:
        return 0
    return sum(word.size for word in run)


@cache
def _reader(target: str) -> OwnScript | EastAsian:
    return EastAsian(target) if target in ("zh", "ja", "ko") else OwnScript(target)


def _suspects(
    text: str, spans: Sequence[Span], pieces: Sequence[Piece], target: str
) -> Iterator[tuple[int, int, list[Piece]]]:
    """Sentences with foreign pieces or with letters of another script, with those pieces."""
    found: dict[int, list[Piece]] = {}
    begins = [start for start, _ in spans]
    for piece in pieces:
        found.setdefault(bisect_right(begins, piece.start) - 1, []).append(piece)
    letters = _other_letters(target)
    if not (text.isascii() and "Latin" in SCRIPTS_OF_LANGUAGE[target]):
        place = letters.search(text)
        while place is not None:
            number = bisect_right(begins, place.start()) - 1
            found.setdefault(number, [])
            place = letters.search(text, spans[number][1])
    for number in sorted(found):
        yield *spans[number], found[number]


@cache
def _other_letters(target: str) -> re.Pattern[str]:
    """A letter of another script that may belong to a word: no `x` and no `α`.

    The class that it begins with is there for speed: it has all letters, and other signs.
    """
    scripts = SCRIPTS_OF_LANGUAGE[target]
    own, greek = "".join(SCRIPTS[script] for script in scripts), SCRIPTS["Greek"]
    ends = [rf"(?<=[^\W\d_{own}A-Za-z{greek}{SIGNS}])", rf"(?<=[{greek}])[{greek}]{{2}}"]
    begins = r"\u00c0-\u1fff\u2c00-\u33ff\ua000-\udfff\ufb00-\uffef"
    if "Latin" not in scripts:
        begins += "A-Za-z"
        ends.append("(?<=[A-Za-z])[A-Za-z]")
    if "Han" not in scripts:
        begins += HAN
    return re.compile(rf"[{begins}](?:{'|'.join(ends)})")


def _runs(
    words: Iterable[Word], pieces: Sequence[Piece], target: str
) -> Iterator[tuple[list[Word], str | None]]:
    """Neighbouring words that are foreign unless excused, with their language where it is known."""
    own = SCRIPTS_OF_LANGUAGE[target]
    begins = [piece.start for piece in pieces]

    def kind(word: Word) -> tuple[str, str | None] | None:
        script = "Han" if word.script in WITHOUT_SPACES else word.script
        if word.script not in own:
            return script, None
        number = bisect_right(begins, word.start) - 1
        if number < 0 or word.start >= pieces[number].end:
            return None
        return script, pieces[number].language

    for key, group in groupby(words, key=kind):
        if key is not None:
            yield list(group), key[1]


def _language_of(run: Sequence[Word]) -> str:
    """The language of words in a script that is not the target's."""
    script = run[0].script
    said = " ".join(word.text for word in run)
    if script in WITHOUT_SPACES:
        return "ja" if script == "Kana" or is_japanese(said) else "zh"
    listed = Counter(owners(script).get(word.text) for word in run)
    del listed[None]
    if listed:
        return max(sorted(filter(None, listed)), key=lambda each: listed[each])
    if script not in ("Latin", "Cyrillic", "Arabic", "Devanagari"):
        return LANGUAGE_OF_SCRIPT.get(script, UNDETERMINED)
    language, probability = guess(said, script)
    if probability >= _LIKELY:
        return language
    return LANGUAGE_OF_SCRIPT.get(script, UNDETERMINED)


def _spans(found: Iterable[tuple[Word, str]], text: str) -> list[Foreign]:
    """Neighbouring foreign words become one span: a phrase is easier to read than its letters."""
    merged: list[Foreign] = []
    start, end, spoken = 0, 0, ""
    for word, language in found:
        if language == spoken and _JOINING.fullmatch(text, end, word.start):
            end = word.end
            continue
        if spoken:
            merged.append(Foreign(start, end, spoken))
        start, end, spoken = word.start, word.end, language
    return [*merged, Foreign(start, end, spoken)] if spoken else merged
