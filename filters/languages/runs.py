"""Runs: neighbouring words of one script, the unit in which foreign words are looked at.

A run keeps its words in one list and their places in another, since a text has many words and an
object for each would cost more than all that is done with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby
from typing import Final, NamedTuple

from .scripts import SCRIPTS, WITHOUT_SPACES
from .segments import Span
from .words import RUN, is_language_word

_KINDS: Final = {**{name: name for name in [*SCRIPTS, "other"]}, "Kana": "Han"}
"""Han and kana are words of one run."""


class Run(NamedTuple):
    """Words of one script with their places; in scripts without spaces each is several words."""

    script: str
    """That of the first word: a run may begin with kana and go on with Han."""
    words: Sequence[str]
    places: Sequence[Span]

    @property
    def size(self) -> int:
        """Number of words."""
        return sum(map(len, self.words)) if self.script in WITHOUT_SPACES else len(self.words)

    def only(self, wanted: Iterable[bool]) -> Run:
        """The run with some of its words."""
        flags = [*wanted]
        if all(flags):
            return self
        return Run(self.script, [*compress(self.words, flags)], [*compress(self.places, flags)])

    def singles(self) -> Run:
        """In scripts without spaces the run with each character for itself; else the same."""
        if self.script not in WITHOUT_SPACES:
            return self
        places = [(at, at + 1) for start, end in self.places for at in range(start, end)]
        return Run(self.script, [*"".join(self.words)], places)


def matches(text: str, start: int, end: int) -> list[re.Match[str]]:
    """The language words in a part of a masked text, in order; `lastgroup` is their script."""
    return [found for found in RUN.finditer(text, start, end) if is_language_word(found[0])]


def kind_of(word: re.Match[str]) -> str:
    """The script of a word, `Han` for kana too."""
    return _KINDS[word.lastgroup or "other"]


def runs_in(text: str, start: int, end: int) -> Iterator[Run]:
    """All words in a part of a masked text."""
    for _, group in groupby(matches(text, start, end), key=kind_of):
        yield run_of(group)


def run_of(words: Iterable[re.Match[str]]) -> Run:
    """One run of all of `words`."""
    found = [*words]
    script = found[0].lastgroup or "other"
    return Run(script, [word[0] for word in found], [word.span() for word in found])
