r"""The one value that a sentence claims: `$18` of `So she makes $18 every day.`

Several values are fewer than they seem: what is denied (`not 5`), a limit (`more than 5`) or only
begins a range counts never; what stands in a condition, a reason or before a conclusion (`since
3 + 4 = 7, so …`), names (`$x$`) and labels (`step 2`) count only if there is nothing else. Of the
rest the sentence claims the only one, the bold one, the last result of a calculation, the only one
that is not behind a preposition (`after 3 days`, `5天后`), or the one behind `is` or `一共`.
Otherwise it says several things, and none is picked. `3 and 4` and `x = 1 or x = 2` are one value,
a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ...models.thinking import Span
from .answer_value import agree
from .limits import is_strict_limit
from .prose_expressions import Expression, expressions

_REACH = 60
"""Characters before an expression in which its role is looked for."""

_LIST = re.compile(r"[\s$*`]*(?:[,，、]\s*(?:and|or)?|and|or|[和或与及至到比]|或者|以及)[\s$*`]*")
_MARKS = re.compile(r"[$*`\n]")
_COMPOUND = re.compile(r"\s*(?:in|out of|to|over|through|times|plus|minus|per)\s*")
_PLAIN = re.compile(r"[\d\s,./%+-]+")
_RANGE = re.compile(r"(?:\bbetween|\bfrom|在|介于)\s*[$*`]*\Z", re.IGNORECASE)
_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor|instead of|rather than)\b|n['’]t\b|≠"
    r"|不是|不为|不等于|不会是|不可能是?|并非|而非)"
    r"(?:\s+(?:be|equal|to|the|a|an|going|necessarily|simply|just|have|has))*\s*[$*`(]*\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:\b(?:step|part|question|problem|case|method|example|figure|fig\.|equation|eq\.|page|day"
    r"|exercise|section|round|grade|level|line|row|column|no\.)\s*[#(]?|#|第|步骤|方法|例|图)\s*\Z",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"(?:\b(?:is|are|was|were|equals?|equal to|a total of|altogether|makes|leaving|i\.e\.)"
    r"|(?:一共|总共|共计|合计|共)(?:有|得|要|需要?|花|卖|买|走)?|是|为|等于)[\s,，:：]*[$*`]*\Z",
    re.IGNORECASE,
)
_PURPOSE = re.compile(r"[^.]*\bto(?: [A-Za-z]+){1,5}\s*")
_JOINED = re.compile(r"\b(?:and|or|but|plus)\b|[,，、和与及]")
_ASIDE = re.compile(
    r"(?:\b(?:after|in|for|per|within|over|during|at|on|by|from|with|every|each|all|the|these|those"
    r"|both|than|if|when|since|because|given|out of|of the|of these|to|until|before)"
    r"(?:\s+(?:the|a|an|each|every|all|these|those|another|only|just|last|first|next|other|about"
    r"|of)){0,3}|[每这那前用在从比过按对于超]|经过|其中|如果|因为|由于)\s*[$*`]*\Z",
    re.IGNORECASE,
)
_ASIDE_BEHIND = re.compile(r"\s*[$*`]*(?:个|天|年|小时|分钟|秒)*(?:后|前|之后|以后|时|里|内|中)")
_CONCLUSION = re.compile(
    r".*(?:\b(?:so|therefore|thus|hence|consequently)\b(?! (?:that|far|many|much)\b)"
    r"|\bround(?:s|ed)(?: up| down| off)? to\b|所以|因此|因而|故|[⇒→∴]|=>)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"\s*(?:(?:since|if|when|after|because|as|given|once|before|while|for|with|in|at|assuming)\b"
    r"|如果|因为|由于|当)(?:[^,，]|[,，](?=\d))*+[,，]",
    re.IGNORECASE,
)
_REASON = re.compile(r"(?:\b(?:because|since)\b|因为)(?:[^,，]|[,，](?=\d))*+", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"\s*([A-Za-z](?:_\w|_\{\w+\}|[₀-₉ₙ]++)?)\s*=")


def value_in(text: str, span: Span) -> Expression | None:
    """The one value that the sentence claims; None if it claims none or several."""
    found = [one for one in listed(text, span) if not denied(text, one)]
    found = [one for one in found if not _before(_RANGE, text, one)]
    found = [one for one in found if not is_strict_limit(text, one)]
    conclusion, condition = (pattern.match(text, *span) for pattern in (_CONCLUSION, _CONDITION))
    main = max((match.end() for match in (conclusion, condition) if match), default=span[0])
    reason = _REASON.search(text, max(main, span[0] + 1), span[1])
    why = reason.span() if reason else (span[1], span[1])
    found = _those(found, lambda one: one.span[0] >= main)
    found = _those(found, lambda one: _is_calculation(one) or not why[0] < one.span[0] < why[1])
    found = _those(found, lambda one: not one.weak)
    found = _those(found, lambda one: not _before(_LABEL, text, one))
    return (
        _only(found)
        or _only([one for one in found if one.bold])
        or _last_result(text, found)
        or _only(_without_asides(text, found))
        or _stated(text, found)
    )


def listed(text: str, span: Span) -> list[Expression]:
    """The expressions in a sentence, those of a list or range taken together."""
    merged: list[Expression] = []
    for one in expressions(text, *span):
        if merged and _belong_together(text, merged[-1], one):
            merged[-1] = _together(text, merged[-1], one)
        else:
            merged.append(one)
    return merged


def denied(text: str, one: Expression) -> bool:
    """Does the text say that this is *not* it?"""
    return _before(_DENIED, text, one)


def _belong_together(text: str, first: Expression, second: Expression) -> bool:
    """`3 and 4` does, `1 in 6` does, `$42 in 3 days` does not."""
    between = first.span[1], second.span[0]
    if _is_calculation(first) or _is_calculation(second) or agree(first.text, second.text):
        return False
    if _LIST.fullmatch(text, *between):
        return True
    plain = _PLAIN.fullmatch(first.text) and _PLAIN.fullmatch(second.text)
    return plain is not None and _COMPOUND.fullmatch(text, *between) is not None


def _together(text: str, first: Expression, second: Expression) -> Expression:
    between = _MARKS.sub("", text[first.span[1] : second.span[0]])
    return Expression(
        (first.span[0], second.span[1]),
        f"{first.text}{between}{second.text}",
        first.bold and second.bold,
        first.related and second.related,
        first.weak and second.weak,
    )


def _those(found: list[Expression], fits: Callable[[Expression], bool]) -> list[Expression]:
    """Those that fit, or all if none does."""
    return [one for one in found if fits(one)] or found


def _only(found: Sequence[Expression]) -> Expression | None:
    """The last of the expressions if all of them say the same."""
    if not found or any(not agree(one.text, found[-1].text) for one in found[:-1]):
        return None
    return found[-1]


def _last_result(text: str, found: list[Expression]) -> Expression | None:
    """The last result of a calculation, or what something behind it is said to be."""
    main = _those(found, lambda one: _is_calculation(one) or not _is_aside(text, one))
    if not any(one.related for one in main):
        return None
    claims = [one for one in main if one.related or _before(_STATED, text, one)]
    if not claims[-1].related:
        return _only([one for one in claims if not one.related])
    assignments = (_ASSIGNMENT.match(one.text) for one in claims)
    variables = {match.group(1) for match in assignments if match}
    return claims[-1] if len(variables) < 2 else None


def _without_asides(text: str, found: list[Expression]) -> list[Expression]:
    """Those that say how much, not when, of what or what for (`15 hours to clean 45 rooms`)."""
    main: list[Expression] = []
    for one in found:
        before = text[main[-1].span[1] : one.span[0]] if main else ""
        purpose = _PURPOSE.fullmatch(before) and not _JOINED.search(before)
        if not purpose and not _is_aside(text, one):
            main.append(one)
    return main


def _stated(text: str, found: list[Expression]) -> Expression | None:
    """The one behind `is` or `一共`, unless `and` adds another to it."""
    one = _only([one for one in found if _before(_STATED, text, one)])
    later = [other for other in found if one and other.span[0] >= one.span[1]]
    added = (_JOINED.search(text, one.span[1], other.span[0]) for other in later if one)
    return None if any(added) else one


def _is_calculation(one: Expression) -> bool:
    return one.related and _ASSIGNMENT.match(one.text) is None


def _is_aside(text: str, one: Expression) -> bool:
    """Does it say when, of what, or under which condition?"""
    return _before(_ASIDE, text, one) or _ASIDE_BEHIND.match(text, one.span[1]) is not None


def _before(role: re.Pattern[str], text: str, one: Expression) -> bool:
    return role.search(text[max(0, one.span[0] - _REACH) : one.span[0]]) is not None
