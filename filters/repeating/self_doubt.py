"""The endless self-doubt of reasoning models: `Wait, no. Let me double-check. Hmm, wait …`.

Doubting is healthy, and so is doubting often, as long as each doubt leads somewhere. So a doubt is
measured by what follows it, up to the next one: numbers that did not occur before, words that did
not, or (for puzzles without numbers) a longer stretch of new combinations of words. Words about the
checking itself (`verify`, `mistake`, `题目`) are never new.

A doubt that led to nothing of that is stale and adds one to the measure. A fruitful one takes one
away, and the bare exclamation right before it (`Wait, no.`) as well. So a long thought may doubt
itself a hundred times; only one that runs in circles climbs, however differently it words them.

English and Chinese are known; in other languages only exact loops are found (`loops.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from ...models.thinking import Span
from .doubt_words import ABOUT_CHECKING, ABOUT_CHECKING_ZH, has_doubt
from .utterances import Utterance

_WORD: Final = re.compile(  # words, numbers, runs of Han; a class in front makes it fast to find
    r"[a-z\d\u3400-\u9fff](?:(?<=[a-z])[a-z]*+(?:['’][a-z]++)?|(?<=\d)\d*+(?:[.,]\d++)*+"
    r"|(?<=[\u3400-\u9fff])[\u3400-\u9fff]*+)"
)
_COMBINED: Final = 3
_MANY_COMBINATIONS: Final = 8
_WORDS_PER_NEW_ONE: Final = 20


@dataclass(frozen=True, slots=True)
class SelfDoubt:
    """How often a text doubts itself, and the longest running in circles."""

    doubts: int
    stale: int
    """Most stale doubts less what fruitful ones forgave."""
    span: Span | None
    """From the first to the last of them."""


def self_doubt(text: str, sentences: Sequence[Utterance]) -> SelfDoubt:
    """Measure the doubts of a text.

    Args:
        sentences: of this text, from `sentences_of`.
    """
    doubts = [i for i, each in enumerate(sentences) if has_doubt(text, *each.span)]
    if not doubts:
        return SelfDoubt(0, 0, None)
    known = _Known()
    known.learn(_content(text[: sentences[doubts[0]].start]))
    stale = most = begin = 0
    bare = False  # was the last one an exclamation only, without any content?
    span: Span | None = None
    for number, following in zip(doubts, [*doubts[1:], len(sentences)], strict=True):
        start, end = sentences[number].start, sentences[following - 1].end
        begin = begin if stale else start
        content = _content(text[start:end])
        stale = max(0, stale - 1 - bare) if known.learn(content) else stale + 1
        bare = not content
        if stale > most:
            most, span = stale, (begin, end)
    return SelfDoubt(len(doubts), most, span)


class _Known:
    """The numbers, words and combinations of words that a text has had so far."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._combinations: set[tuple[str, ...]] = set()

    def learn(self, words: Sequence[str]) -> bool:
        """Take in the content of a stretch of text; was it worth it?"""
        new = {word for word in words if word not in self._words}
        combinations = set(zip(*(words[skip:] for skip in range(_COMBINED)), strict=False))
        known = len(self._combinations)
        self._words |= new
        self._combinations |= combinations
        unseen = len(self._combinations) - known
        if any(word[0].isdigit() for word in new):
            return True
        if len(new) >= max(2, len(words) // _WORDS_PER_NEW_ONE):
            return True
        return len(combinations) >= _MANY_COMBINATIONS and 2 * unseen > len(combinations)


def _content(text: str) -> list[str]:
    """Numbers, words that are not about the checking, and pairs of Chinese characters."""
    return list(chain.from_iterable(map(_content_of_word, _WORD.findall(text.lower()))))


@lru_cache(maxsize=1 << 13)
def _content_of_word(word: str) -> tuple[str, ...]:
    if word[0] < "\u3400":
        about_checking = word in ABOUT_CHECKING or "'" in word or "’" in word  # I'm, can't
        return () if about_checking else (word,)
    pairs: list[str] = []
    for rest in filter(None, ABOUT_CHECKING_ZH.split(word)):
        pairs += [rest[i : i + 2] for i in range(max(len(rest) - 1, 1))]
    return tuple(pairs)
