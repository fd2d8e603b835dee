"""Find given words and phrases in a text: how `contains` and `keywords` look.

A phrase matches across line breaks and runs of spaces. A whole word is not part of a longer one:
`cat` is not in `category`, `5` not in `15`, `5.2`, `-5` or `5/6` (but in `5 km` and `5km`).
Scripts that are written without spaces between words (Chinese, Japanese, Korean with its particles,
Thai and kin) have no such boundary, so there a phrase is found anywhere.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from ...models.thinking import Span
from .folding import Folded, fold

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER: Final = rf"(?![{_UNSPACED}])\w"
_NOT_AFTER_LETTER: Final = rf"(?<!{_LETTER})"
_NOT_BEFORE_LETTER: Final = rf"(?!{_LETTER})"
_NOT_IN_NUMBER_LEFT: Final = rf"{_NOT_AFTER_LETTER}(?<!\d[.,/:])(?<!(?<![\w)\]}}])-)"
_NOT_IN_NUMBER_RIGHT: Final = r"(?!\d|[.,/:]\d)"


def find_phrase(
    text: Folded, phrase: str, *, whole: bool, case: bool, forms: bool
) -> Iterator[Span]:
    """Where `phrase` stands in `text`, as spans of the original text.

    Args:
        text: folded with the same `case` and `forms`.
        whole: only whole words.
    """
    for match in _pattern(phrase, whole, case, forms).finditer(text.text):
        yield text.span(match.start(), match.end())


@functools.lru_cache(maxsize=10_000)
def _pattern(phrase: str, whole: bool, case: bool, forms: bool) -> re.Pattern[str]:
    words = fold(phrase, case=case, forms=forms).text.split()
    body = r"\s++".join(map(re.escape, words))
    if not whole or not words:
        return re.compile(body)
    return re.compile(_left(words[0][0]) + body + _right(words[-1][-1]))


def _left(first: str) -> str:
    if first.isdigit():
        return _NOT_IN_NUMBER_LEFT
    return _NOT_AFTER_LETTER if re.match(_LETTER, first) else ""


def _right(last: str) -> str:
    if last.isdigit():
        return _NOT_IN_NUMBER_RIGHT
    return _NOT_BEFORE_LETTER if re.match(_LETTER, last) else ""
