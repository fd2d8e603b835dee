r"""What an announced answer says: `5` of "The answer is 5, not 6", `18元` of `答：一共18元`.

A claim that begins with an expression is that expression, unless what follows belongs to it
(`3 hours and 20 minutes`, `5 apples and 3 pears`). A claim that begins with words is read like any
sentence (`sentence_value.py`), and one of a few words and no value is an answer in words. A claim
that says several things is kept as it is written: something was claimed, and it is no one value.
"""

from __future__ import annotations

import re

from ...models.thinking import Span
from .answer_phrases import Announcement
from .answer_value import agree
from .bare_answer import bare_answer, whole_answer
from .limits import begins_with_limit, is_strict_limit
from .prose_expressions import Expression
from .prose_words import without_marks
from .sentence_value import denied, listed, value_in
from .sentences import without_stop

_FILLER = re.compile(
    r"(?:[\s:：=≈~*_`'\"“”]|\b(?:approximately|about|around|roughly|exactly|simply|just|only"
    r"|indeed|clearly|therefore|thus|hence|then|equal to|given by|that|also|the|a|an|option|choice"
    r"|numbers?|values?|positive|negative|integers?|now|still|in fact|actually|likely|probably"
    r"|point|set|interval|fraction|ordered|pair|triple|equation|line|vector|matrix|expression|answer|is)\b(?=\s*+[^\s.])"
    r"|大约|约|应该|应|就|是|为|等于|一共|共|有)*+",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"[*$]{0,3}(?:\\text(?:bf)?\{)?[(\[](?P<letter>[A-J])[)\]]\}?[.:]?(?:[\s*$~]|\\ |\\quad)*+"
)
"""The letter of the choice that a value stands behind: `(E) 144`."""
_NOTHING_SAID = re.compile(
    r"(?:as follows|follows|below|above|correct|right|clear|obvious|unique|here|this|that|it|found"
    r"|in the box|boxed|wrong|incorrect|not)\W*",
    re.IGNORECASE,
)
_ENDS_CLAIM = re.compile(
    r"[^\d,;，；]{0,60}?(?:[,;，；（(。]|--|[—–]\s)(?!\s*(?:(?:and|or)\b|[和或]|remainder|with|余|[$\d\\]))"
    r"|[^\d,;，；]{0,60}?\b(?:because|since|as|which|where|so|when|for|in|per|after|before|if|at|on"
    r"|from|than|that|while|given|each|every|with(?!\s+(?:a\s+)?remainder)|of)\b"
    r"|[^\d]{0,20}?(?:因为|其中|所以)",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"\s*(?:plus|minus|times|squared|cubed|factorial|remainder|over"
    r"|and (?:a|one)|with (?:a )?remainder|(?:\d+ )?out of|余)\b",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"(?:first|let|we|to|step|start|given|since|here|okay|ok|sure|首先|解|设|由|我们|第|先|让)",
    re.IGNORECASE,
)
_MOST_WORDS = 8
"""Words of an announced answer without any value: `all real numbers except zero`."""


def claimed(text: str, announcement: Announcement, end: int) -> Expression | None:
    """The answer that is announced in `text[:end]`; None if nothing is."""
    claim = without_stop(text, announcement.claim)
    if announcement.kind == "field":
        return bare_answer(text, announcement.claim)
    if announcement.kind == "behind":
        return whole_answer(text, claim) or value_in(text, claim)
    found = [one for one in listed(text, claim) if not denied(text, one)]
    start = max(claim[0], _FILLER.match(text, *claim).end())  # type: ignore[union-attr]
    leads = bool(found) and found[0].span[0] <= start
    if leads:
        return _leading(text, claim, found)
    option = _OPTION.match(text, start, claim[1])
    if option and found and found[0].span[0] <= option.end():
        value = _leading(text, (option.end(), claim[1]), found)
        return Expression((start, value.span[1]), f"({option['letter']}) {value.text}")
    if begins_with_limit(text, start):
        return _as_written(text, claim)
    if announcement.kind == "hashes" and found:
        return None  # a heading
    if announcement.kind == "label" and found:
        if text[announcement.paragraph_end : end].strip():
            return None if _INTRODUCES.match(text, claim[0]) else value_in(text, claim)
        return bare_answer(text, (claim[0], announcement.paragraph_end))
    return _in_words(text, (start, claim[1]), found)


def _leading(text: str, claim: Span, found: list[Expression]) -> Expression:
    """The first expression, or the whole claim if what follows belongs to the answer."""
    if whole := whole_answer(text, claim):
        return whole
    first, others = found[0], found[1:]
    end = first.span[1]
    alone = not others or _ENDS_CLAIM.match(text, end, others[0].span[0])
    changed = _CHANGES.match(text, end, claim[1]) or is_strict_limit(text, first)
    if not changed and (alone or agree(first.text, others[-1].text)):
        return first
    return _as_written(text, claim)


def _in_words(text: str, claim: Span, found: list[Expression]) -> Expression | None:
    """An answer that begins with words: its one value, or the words themselves."""
    if found:
        return value_in(text, claim) or _as_written(text, claim)
    words = whole_answer(text, claim, _MOST_WORDS)
    return None if words is None or _NOTHING_SAID.fullmatch(words.text) else words


def _as_written(text: str, claim: Span) -> Expression:
    return Expression(claim, without_marks(text[slice(*claim)]))
