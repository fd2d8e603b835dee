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
from typing import Final

from .frequent_words import is_frequent
from .masking import mask
from .runs import Run, runs_in
from .scripts import SCRIPTS_OF_LANGUAGE, WITHOUT_SPACES

LONGEST_TERM: Final = 3
"""Words of a run that may be a term quoted from the prompt."""
_LONGEST_NAME: Final = 6
_PHRASE: Final = 4
_CONNECTING: Final = frozenset(["of", "the", "and", "in", "de", "la", "le", "du", "da", "di"])
_PINYIN: Final = re.compile("[āēīōūǖǎěǐǒǔǚáéíóúǘàèìòùǜ]")
_EQUATION_BEFORE: Final = re.compile(r"[=+^×÷≤≥≠≈√∈−·][ ]?\Z")
_EQUATION_AFTER: Final = re.compile(r"[ ]?[=+^×÷≤≥≠≈∈−·]")
_NOTHING: Final = Run("", (), ())


class Excuses:
    """What is excused in completions of one prompt."""

    def __init__(self, prompt: Sequence[str], target: str) -> None:
        self._prompt = prompt
        self._pinyin = target == "zh"
        self._with_names = "Latin" not in SCRIPTS_OF_LANGUAGE[target]

    def left_of(self, run: Run, text: str, with_phrases: bool) -> Run:
        """The words of a run that are not excused.

        Args:
            text: the masked text that the run stands in.
            with_phrases: excuse sentences of the prompt; not if the text has nothing else, since
                one that only repeats the problem is in the problem's language.
        """
        if len(run.words) == 1 and len(run.words[0]) == 1 and run.script not in WITHOUT_SPACES:
            return _NOTHING
        if self._with_names and run.script == "Latin":
            if _is_name(run.words):
                return _NOTHING
            run = self._without_symbols(run, text)
        if not run.words or not self._phrases[1]:
            return run
        run = run.singles()
        if len(run.words) > LONGEST_TERM:
            return self._beside_phrases(run) if with_phrases else run
        if run.script in WITHOUT_SPACES and len(run.words) > 1:
            return _NOTHING if _key(run.words) in self._phrases[len(run.words)] else run
        known = self._phrases[1]
        return run.only(_key([word]) not in known or is_frequent(word) for word in run.words)

    def _beside_phrases(self, run: Run) -> Run:
        said: set[int] = set()
        key = _key(run.words)
        for begin in range(len(key) - _PHRASE + 1):
            if key[begin : begin + _PHRASE] in self._phrases[_PHRASE]:
                said.update(range(begin, begin + _PHRASE))
        return run.only(place not in said for place in range(len(key)))

    @cached_property
    def _phrases(self) -> dict[int, set[tuple[str, ...]]]:
        """All runs of up to four words of the prompt, by length."""
        found: dict[int, set[tuple[str, ...]]] = {size: set() for size in range(1, _PHRASE + 1)}
        for turn in self._prompt:
            runs = runs_in(mask(turn), 0, len(turn))
            keys = [key for run in runs for key in _key(run.singles().words)]
            for size, phrases in found.items():
                phrases.update(zip(*(keys[skip:] for skip in range(size)), strict=False))
        return found

    def _without_symbols(self, run: Run, text: str) -> Run:
        run_is_short = len(run.words) <= LONGEST_TERM
        return run.only(
            not (self._is_symbol(word) or (run_is_short and _is_in_equation(text, *place)))
            for word, place in zip(run.words, run.places, strict=True)
        )

    def _is_symbol(self, word: str) -> bool:
        if self._pinyin and not word.isascii() and _PINYIN.search(word):
            return True
        return len(word) == 2 and not is_frequent(word)


def _is_in_equation(text: str, start: int, end: int) -> bool:
    before = text[max(start - 2, 0) : start]
    return bool(_EQUATION_BEFORE.search(before) or _EQUATION_AFTER.match(text, end))


def _key(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


def _is_name(words: Sequence[str]) -> bool:
    """`Natalia`, `Chinese Remainder Theorem`, `the Law of Cosines`; not `Wait` or `Step`."""
    if len(words) > _LONGEST_NAME:
        return False
    bearing = [word for word in words if word not in _CONNECTING]
    return bool(bearing) and all(word[0].isupper() and not is_frequent(word) for word in bearing)
