"""Numbers that are named as a limit, not as the value: `more than 5`, `5 or more`, `超过5`.

A strict limit is never the value, wherever it stands. `At least 5 buses are needed` may well answer
how many are needed, so such a limit counts only where nothing but it is claimed: `the answer is
at least 5`. What only rounds (`about 5`) is no limit.
"""

from __future__ import annotations

import re

from ...models.thinking import Span
from .prose_expressions import Expression
from .prose_words import words_in

_REACH = 30
"""Characters before a number in which the words for a limit are looked for."""
_MOST_WORDS = 3
"""Of a sentence that says only a limit: `At least 5 buses`."""
_OPENS = r"\s*[$*`(]*"
_STRICT = (
    r"(?:(?<!no\s)(?<!not\s)\b(?:more|less|fewer|greater|larger|smaller|bigger|higher|lower)\s+than"
    r"|\b(?:nearly|almost|exceeds|exceeding)|(?<!不)(?:超过|大于|小于|多于|少于|高于|低于)"
    r"|不到|不足|将近|接近)"
)
_BEFORE = re.compile(rf"{_STRICT}{_OPENS}\Z", re.IGNORECASE)
_BEHIND = re.compile(
    r"[$*`)]*(?:\+(?![\s]?[\w(\\$√-])"
    r"|\s{1,2}(?:[a-z]{1,12}\s){0,2}?(?:or\s(?:more|less|fewer|greater|above|below|higher|lower)"
    r"|and\s(?:above|up|below|upwards))\b"
    r"|\s?(?:[\u4e00-\u9fff]{0,3}?(?:以上|以下|以内)|多(?![于出少\d])))",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"(?:{_STRICT}|\b(?:at\s(?:least|most|minimum|maximum)|(?:a\s)?(?:minimum|maximum)\sof|up\sto"
    r"|over|under|above|below|(?:no|not)\s(?:more|less|fewer|greater|larger|smaller)\sthan)"
    rf"|至少|至多|最多|最少|不超过|不大于|不小于|不少于|不多于|不低于|不高于){_OPENS}(?=[-\\\d.√π])",
    re.IGNORECASE,
)


def is_strict_limit(text: str, one: Expression) -> bool:
    """Is the value said to lie above or below this number?"""
    start, end = one.span
    before = _BEFORE.search(text[max(0, start - _REACH) : start])
    return before is not None or _BEHIND.match(text, end) is not None


def begins_with_limit(text: str, start: int) -> bool:
    """Do words for a limit and its number stand here?"""
    return _LEADING.match(text, start) is not None


def says_only_a_limit(text: str, span: Span) -> bool:
    """Is a sentence a limit and hardly anything else?"""
    return begins_with_limit(text, span[0]) and words_in(text, *span) <= _MOST_WORDS
