"""Which sentences in the script of the target language are in another language all the same.

A Spanish sentence in an English text has no foreign letter. Sentences are told by their frequent
words (`function_words.py`) where these leave no doubt, otherwise by the library (`detector.py`). A
sentence that is too short to tell, "Hmm." or "Also:", goes with its neighbours where both are in
the same foreign language, and else with the target: doubt never makes a word foreign. A sentence
with frequent words of two languages is read clause by clause; within a clause languages of one
script are not told apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from .detector import guess
from .function_words import owners, shared
from .scripts import SCRIPTS_OF_LANGUAGE, UNDETERMINED
from .segments import Span, clauses, sentences
from .words import ATOMS, is_language_word

_POINTS: Final = 3
"""What a frequent word of one language says; one that it shares with a few others says 1."""
_SURE: Final = 8
"""One frequent word of the target in this many words is enough. With English as the target fewer
than 5 in 1,000 sentences of eighteen other languages reach it (messages of free software)."""
_FEWEST: Final = 3
"""Words below which the library is not asked about a sentence alone."""
_ENOUGH: Final = 6
_LIKELY, _LIKELY_IF_SHORT, _LIKELY_TOGETHER = 0.6, 0.9, 0.8
"""Probabilities at which the library is believed: of `_ENOUGH` words, fewer, and several pieces."""
_BEGINS_LOW: Final = re.compile(r"(?<!\w)[^\W\d_A-ZÀ-ÖØ-ÞА-ЯЁІЇЄҐ]{2}")

_BITS: Final = 20
_ONE: Final = (1 << _BITS) - 1
_MOST_REMEMBERED: Final = 200_000
_LONGEST_REMEMBERED: Final = 40


class Piece(NamedTuple):
    """A sentence or clause; `language` is None while it is undecided."""

    start: int
    end: int
    words: int
    language: str | None
    sentence: Span
    """The sentence that it stands in."""


class _Weights(dict[str, int]):
    """What stands between two spaces, as its number of words, its points for the target and its
    frequent words of other languages, packed into one number so that a sentence is a sum.
    Remembered, since texts have far fewer different words than words."""

    def __init__(self, target: str, script: str) -> None:
        super().__init__()
        self._target, self._owners, self._shared = target, owners(script), shared(target)
        self._atoms = ATOMS[script].findall

    def __missing__(self, token: str) -> int:
        packed = sum(map(self._weigh, filter(is_language_word, self._atoms(token))))
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        if len(token) <= _LONGEST_REMEMBERED:
            self[token] = packed
        return packed

    def _weigh(self, atom: str) -> int:
        atom = atom.replace("’", "'")
        owner = self._owners.get(atom)
        if owner is None or atom in self._shared:
            return 1 | (atom in self._shared) << _BITS
        return 1 | (_POINTS << _BITS if owner == self._target else 1 << 2 * _BITS)


class OwnScript:
    """Reads texts for one target language."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._script = SCRIPTS_OF_LANGUAGE[target][0]
        self._owners = owners(self._script)
        self._weight = _Weights(target, self._script).__getitem__
        self._atoms = ATOMS[self._script].findall
        self._surely = Piece(0, 0, 0, target, (0, 0))

    def survey(self, text: str) -> tuple[int, list[Piece]]:
        """Number of words in the script of the target, and the pieces in other languages."""
        known = 0
        found: list[Piece] = []
        for start, end in sentences(text):
            packed = sum(map(self._weight, text[start:end].split()))
            words, said = packed & _ONE, packed >> _BITS
            known += words
            if said <= _ONE and words and said * _SURE >= _POINTS * words:
                found.append(self._surely)
            elif words:
                found += self._doubtful(text, start, end)
        return known, [each for each in self._settled(text, found) if each.language != self._target]

    def _doubtful(self, text: str, start: int, end: int) -> Iterable[Piece]:
        words, mine, others = self._weigh(text[start:end])
        if others and mine >= _POINTS:
            return self._by_clause(text, start, end)
        told = self._told(text[start:end], words, mine)
        return [Piece(start, end, words, told, (start, end))]

    def _weigh(self, text: str) -> tuple[int, int, int]:
        packed = sum(map(self._weight, text.split()))
        return packed & _ONE, packed >> _BITS & _ONE, packed >> 2 * _BITS

    def _by_clause(self, text: str, start: int, end: int) -> Iterator[Piece]:
        for left, right in clauses(text, start, end):
            words, mine, others = self._weigh(text[left:right])
            language: str | None = self._target
            if others * _POINTS > mine:
                language = self._told(text[left:right], words, 0)
            if words:
                yield Piece(left, right, words, language, (start, end))

    def _told(self, text: str, words: int, mine: int) -> str | None:
        """The language of a piece that is not surely the target's; None: too short to tell."""
        listed = Counter(self._owners.get(atom) for atom in self._atoms(text))
        del listed[None], listed[self._target]
        most, times = max(sorted(listed.items()), key=lambda each: each[1], default=("", 0))
        if words < 2 or (words < _FEWEST and not listed):
            return None
        if times > 1 and mine < _POINTS:
            return most
        language, probability = guess(
            text, self._script, self._target if words >= _ENOUGH else None
        )
        if language in (self._target, UNDETERMINED):
            return self._target if mine >= _POINTS or probability >= 0.3 else None
        if mine >= _POINTS:
            return language if probability >= _LIKELY_TOGETHER else self._target
        if listed:
            return most if language == most or words >= _FEWEST else None
        if not _has_running_text(text, words):
            return None
        needed = _LIKELY if words >= _ENOUGH else _LIKELY_IF_SHORT
        return language if probability >= needed else None

    def _settled(self, text: str, pieces: Sequence[Piece]) -> Iterator[Piece]:
        """Decide on what is undecided, with its neighbours or together."""
        before: str | None = None
        waiting: list[Piece] = []
        for piece in pieces:
            if piece.language is None:
                waiting.append(piece)
                continue
            if waiting:
                yield from self._decided(text, waiting, before or piece.language, piece.language)
                waiting = []
            before = piece.language
            yield piece
        yield from self._decided(text, waiting, before, before)

    def _decided(
        self, text: str, pieces: list[Piece], before: str | None, after: str | None
    ) -> list[Piece]:
        """Neighbouring pieces of which each alone is too short."""
        language = before if before == after else None
        if language is None:
            words = sum(piece.words for piece in pieces)
            together = " ".join(text[piece.start : piece.end] for piece in pieces)
            language = self._target
            if words > _FEWEST and _has_running_text(together, words):
                likely, probability = guess(together, self._script)
                if probability >= _LIKELY_TOGETHER:
                    language = likely
        return [piece._replace(language=language) for piece in pieces]


def _has_running_text(text: str, words: int) -> bool:
    """Names and headings, all capitalised, look like any language."""
    return len(_BEGINS_LOW.findall(text)) >= min(words - 1, 2)
