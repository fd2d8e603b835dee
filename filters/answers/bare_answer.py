r"""The answer that nothing marks as the answer: the whole text, or what its last sentence says.

`42`, `$x = 3$` and `all real numbers` are answers as a whole. In prose it is the value of the last
sentence that has one (`sentence_value.py`); behind it only remarks may follow (`I hope this
helps.`), few of them, and none that gives up.
"""

from __future__ import annotations

import re

from ...models.thinking import Span
from .limits import is_strict_limit, says_only_a_limit
from .prose_expressions import Expression, expressions
from .prose_words import without_marks, words_in
from .sentence_value import listed, value_in
from .sentences import sentences, without_stop

_TAIL = 4000
"""Characters from the end in which sentences are read."""
_MOST_REMARKS = 2
_LONGEST, _MOST_WORDS = 60, 3
"""Characters and words of an answer in words alone."""
_CHECKS = re.compile(
    r"[\s#*_>-]*(?:verification|check|checking|verify|proof|验算|检验|检查|验证"
    r"|(?:let['’]s|let us|let me|we can|to) (?:check|verify|double-check|confirm))\b",
    re.IGNORECASE,
)
_SAYS_SOMETHING = re.compile(r"[^\W_]|[∞∅√]")
_KNOWN_WORDS = re.compile(
    r"\bno (?:real |integer |such )?(?:solutions?|roots?)\b|\binfinitely many(?: solutions)?\b"
    r"|\bdoes not exist\b|\bundefined\b|无解|无数[个组]解?|不存在",
    re.IGNORECASE,
)
_ALPHANUMERIC = re.compile(r"[^\W_]")
_GIVES_UP = re.compile(
    r"n['’]t\b|\b(?:not|cannot|unable|no idea|unsure|give up|stuck|unknown|impossible)\b"
    r"|不知道|不确定|无法|没办法|不会|放弃|不清楚",
    re.IGNORECASE,
)


def bare_answer(text: str, span: Span) -> Expression | None:
    """The answer that `text[slice(*span)]` gives in its last sentence with a value, or as a whole.

    After that sentence only remarks may follow, few of them and none that gives up.
    """
    start, end = max(span[0], span[1] - _TAIL), span[1]
    found = list(sentences(text, start, end))
    if not found:
        return None
    if len(found) == 1 and start == span[0] and (whole := whole_answer(text, found[0])):
        return whole
    if start > span[0]:
        found = found[1:]  # cut off on the left, so nobody knows what it says
    for remarks, sentence in enumerate(reversed(_before_the_check(text, found))):
        sentence = without_stop(text, sentence)
        if expressions(text, *sentence) and text[sentence[1] : sentence[1] + 1] not in ("?", "？"):
            if says_only_a_limit(text, sentence):
                return Expression(sentence, without_marks(text[slice(*sentence)]))
            return value_in(text, sentence)
        if known := _KNOWN_WORDS.search(text, *sentence):
            return Expression(known.span(), known.group())
        if remarks == _MOST_REMARKS or _GIVES_UP.search(text, *sentence):
            return None
    return None


def _before_the_check(text: str, found: list[Span]) -> list[Span]:
    """The sentences without those that check an answer that was given before."""
    checks = (at for at, one in enumerate(found) if at and _CHECKS.match(text, *one))
    kept = found[: next(checks, len(found))]
    return kept if any(expressions(text, *one) for one in kept) else found


def whole_answer(text: str, span: Span, most_words: int = _MOST_WORDS) -> Expression | None:
    """The text as one expression: math without prose around it, or a few words and no value."""
    words = words_in(text, *span)
    if words and expressions(text, *span):
        return None
    if words and (span[1] - span[0] > _LONGEST or _GIVES_UP.search(text, *span)):
        return None
    if words > most_words:
        return None
    found = listed(text, span)
    if len(found) > 1 and any(one.related for one in found):
        return None
    if len(found) == 1 and is_strict_limit(text, found[0]):
        found = []
    if len(found) == 1 and not _ALPHANUMERIC.search(_beside(text, span, found[0].span)):
        return found[0]
    shown = without_marks(text[slice(*span)])
    return Expression(span, shown) if _SAYS_SOMETHING.search(shown) else None


def _beside(text: str, outer: Span, inner: Span) -> str:
    return text[outer[0] : inner[0]] + text[inner[1] : outer[1]]
