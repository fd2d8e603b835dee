"""Foreign words that are nobody's fault: names, and what the problem says itself.

They are looked at in runs: neighbouring words of one sentence in one script.

* Prompt: a run of up to three words is excused word by word if the prompt has it and it is no
  function word ("clips" of a problem about clips); of a longer one only what stands in the prompt
  as it is, four words or more in a row. Chinese and Japanese words are characters here too.
* Names, Latin ones in a text of another script (romanised names in a Chinese text): a short run
  in which all words are capitalised and none is a frequent English word, `of` and the like aside.
  Pinyin with tone marks is Chinese.
* Symbols: a letter alone; in such texts two letters that are no English word, and a word in an
  equation (`total = 5`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from .frequent_words import is_frequent
from .masking import mask
from .scripts import SCRIPTS_OF_LANGUAGE, WITHOUT_SPACES
from .words import RUN, is_language_word


class Word(NamedTuple):
    """A word with its place in a text and its script; in scripts without spaces several words."""

    text: str
    start: int
    end: int
    script: str

    @property
    def size(self) -> int:
        """Number of words."""
        return len(self.text) if self.script in WITHOUT_SPACES else 1


LONGEST_TERM: Final = 3
"""Words of a run that may be a term quoted from the prompt."""
_LONGEST_NAME: Final = 6
_PHRASE: Final = 4
_CONNECTING: Final = frozenset(["of", "the", "and", "in", "de", "la", "le", "du", "da", "di"])
_PINYIN: Final = re.compile("[āēīōūǖǎěǐǒǔǚáéíóúǘàèìòùǜ]")
_EQUATION_BEFORE: Final = re.compile(r"[=+^×÷≤≥≠≈√∈−·][ ]?\Z")
_EQUATION_AFTER: Final = re.compile(r"[ ]?[=+^×÷≤≥≠≈∈−·]")


def words_of(text: str, start: int, end: int) -> list[Word]:
    """The language words in a part of a masked text, in order."""
    return [
        Word(said, found.start(), found.end(), found.lastgroup or "")
        for found in RUN.finditer(text, start, end)
        if is_language_word(said := found.group())
    ]


class Excuses:
    """What is excused in completions of one prompt."""

    def __init__(self, prompt: Sequence[str], target: str) -> None:
        self._prompt = prompt
        self._pinyin = target == "zh"
        self._with_names = "Latin" not in SCRIPTS_OF_LANGUAGE[target]

    def left_of(self, run: Sequence[Word], text: str, with_phrases: bool) -> Sequence[Word]:
        """The words of a run that are not excused.

        Args:
            text: the masked text that the run stands in.
            with_phrases: excuse sentences of the prompt; not if the text has nothing else, since
                one that only repeats the problem is in the problem's language.
        """
        if len(run) == 1 and len(run[0].text) == 1 and run[0].script not in WITHOUT_SPACES:
            return []
        if self._with_names and run[0].script == "Latin":
            if _is_name(run):
                return []
            run = [word for word in run if not self._is_symbol(word, text, len(run))]
        if not run or not self._phrases[1]:
            return run
        run = [single for word in run for single in _singles(word)]
        if len(run) > LONGEST_TERM:
            return self._beside_phrases(run) if with_phrases else run
        if run[0].script in WITHOUT_SPACES and len(run) > 1:
            return [] if _key(run) in self._phrases[len(run)] else run
        known = self._phrases[1]
        return [word for word in run if _key([word]) not in known or is_frequent(word.text)]

    def _beside_phrases(self, run: Sequence[Word]) -> list[Word]:
        said: set[int] = set()
        for begin in range(len(run) - _PHRASE + 1):
            if _key(run[begin : begin + _PHRASE]) in self._phrases[_PHRASE]:
                said.update(range(begin, begin + _PHRASE))
        return [word for place, word in enumerate(run) if place not in said]

    @cached_property
    def _phrases(self) -> dict[int, set[tuple[str, ...]]]:
        """All runs of up to four words of the prompt, by length."""
        found: dict[int, set[tuple[str, ...]]] = {size: set() for size in range(1, _PHRASE + 1)}
        for turn in self._prompt:
            words = words_of(mask(turn), 0, len(turn))
            keys = [single.text.casefold() for word in words for single in _singles(word)]
            for size, phrases in found.items():
                phrases.update(zip(*(keys[skip:] for skip in range(size)), strict=False))
        return found

    def _is_symbol(self, word: Word, text: str, neighbours: int) -> bool:
        if self._pinyin and not word.text.isascii() and _PINYIN.search(word.text):
            return True
        if len(word.text) == 2 and not is_frequent(word.text):
            return True
        if neighbours > LONGEST_TERM:
            return False
        before = text[max(word.start - 2, 0) : word.start]
        return bool(_EQUATION_BEFORE.search(before) or _EQUATION_AFTER.match(text, word.end))


def _singles(word: Word) -> Iterable[Word]:
    """The characters of scripts without spaces; else the word."""
    if word.size == 1:
        return (word,)
    return (
        Word(character, place, place + 1, word.script)
        for place, character in enumerate(word.text, start=word.start)
    )


def _key(words: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.text.casefold() for word in words)


def _is_name(run: Sequence[Word]) -> bool:
    """`Natalia`, `Chinese Remainder Theorem`, `the Law of Cosines`; not `Wait` or `Step`."""
    if len(run) > _LONGEST_NAME:
        return False
    bearing = [word.text for word in run if word.text not in _CONNECTING]
    return bool(bearing) and all(word[0].isupper() and not is_frequent(word) for word in bearing)
