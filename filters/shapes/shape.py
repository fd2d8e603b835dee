"""The defects in the shape of one completion, each with its places.

`shape_defects` looks for all of them at once and leaves it to `format.py` which one decides. What
is debris of a template is blanked before emptiness is judged, so `<think>a</think><|im_end|>` has
no answer, and `<|im_start|>assistant<think>` has no text before its thinking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...models.thinking import Span, Tags, split, tag_spans
from .debris import mentioned, template_tokens, tool_tags
from .layout import without_code
from .role_headers import answer_headers, thought_headers

Defects = dict[str, list[Span]]

_LAYOUT: Final = re.compile(
    # What shows nothing: white space, invisible characters, rules, markup, dots, empty boxes. The
    # signs of comparison are not among them: "<, = or >?" has the answer ">".
    r"[\s\x00-\x1f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff*_#`~.…·•。|:：\-–—$]"
    r"|\\boxed\{\s*\}|</?(?:answer|br|p|div)\s*/?>",
    re.IGNORECASE,
)
_HEADING_ALONE: Final = re.compile(
    r"(?:the)?(?:final)?(?:answer|solution|response|boxed)(?:is)?|最终答案|答案?[是为]?|解答?|回答",
    re.IGNORECASE,
)
_LONGEST_HEADING: Final = len("thefinalsolutionis")
_ANSWER_TAG: Final = re.compile(r"<(/?)answer>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the defects are looked for in."""

    text: str
    tags: Tags
    prefilled: bool
    prompt: str
    """All of it: what it shows is not debris."""
    question: str
    """Its last user turn."""


def shape_defects(shape: Shape) -> Defects:
    """Every defect but wrong tags, with its places; nothing that is not there."""
    shown = without_code(shape.text)
    own = {*tag_spans(shown, shape.tags.open), *tag_spans(shown, shape.tags.close)}
    tags = tool_tags(shown)
    debris = [span for span in template_tokens(shown, tags, shape.prompt) if span not in own]
    tools = [span for span in tags if span not in own and not mentioned(span, shown, shape.prompt)]
    found = _block(shape, _without(shape.text, debris)) | {
        "template_debris": debris,
        "tool_call": tools,
        "role_header": _headers(shape, _without(shown, debris)),
        "answer_tag_not_closed": _answer_tags(shape, shown),
    }
    return {reason: spans for reason, spans in found.items() if spans}


def _block(shape: Shape, text: str) -> Defects:
    """What is wrong with the think block itself."""
    opens, closes = tag_spans(text, shape.tags.open), tag_spans(text, shape.tags.close)
    whole = (0, len(text))
    if not opens and not closes:
        reason = "thinking_not_closed" if shape.prefilled else "no_thinking"
        empty = not shape.prefilled and is_empty(text)
        return {reason: [whole]} | ({"no_answer": [whole]} if empty else {})
    found = _order(opens, closes, shape.prefilled)
    parts = split(text, shape.tags)
    if opens and (not closes or opens[0] < closes[0]):
        found["text_before_thinking"] = _unless_empty(text, (0, opens[0][0]))
    if parts.answer is None:
        return found
    if parts.thought is not None and is_empty(text[slice(*parts.thought)]):
        found["empty_thinking"] = [parts.thought]
    if is_empty(text[slice(*parts.answer)]):
        found["no_answer"] = [parts.answer]
    return found


def _order(opens: list[Span], closes: list[Span], prefilled: bool) -> Defects:
    """Defects in the order of the tags, which should be: one opened, one closed."""
    found: Defects = {}
    inside = prefilled and (not opens or (bool(closes) and closes[0] < opens[0]))
    blocks = 0
    marks = sorted([(span, True) for span in opens] + [(span, False) for span in closes])
    for span, opening in marks:
        if opening and inside:
            found.setdefault("nested_thinking", []).append(span)
        elif opening and blocks:
            found.setdefault("repeated_thinking", []).append(span)
        elif not opening and not inside:
            reason = "thinking_closed_twice" if blocks else "thinking_not_opened"
            found.setdefault(reason, []).append(span)
        blocks += not opening
        inside = opening
    if opens and (not closes or opens[-1] > closes[-1]):
        found["thinking_not_closed"] = [opens[-1]]
    return found


def is_empty(text: str) -> bool:
    """Is there nothing to read: space, rules and dots, or the heading of an answer alone?"""
    shown, at = "", 0
    for match in _LAYOUT.finditer(text):
        shown += text[at : match.start()]
        at = match.end()
        if len(shown) > _LONGEST_HEADING:
            return False
    shown += text[at:]
    return not shown or _HEADING_ALONE.fullmatch(shown) is not None


def _headers(shape: Shape, shown: str) -> list[Span]:
    parts = split(shown, shape.tags)
    found: list[Span] = []
    if parts.thought is not None:
        start, end = parts.thought
        found += _moved(thought_headers(shown[start:end], shape.question), start)
    if parts.answer is not None:
        start, end = parts.answer
        found += _moved(answer_headers(shown[start:end], shape.question), start)
    return found


def _answer_tags(shape: Shape, shown: str) -> list[Span]:
    """`<answer>` and `</answer>` behind the thought, unless they pair."""
    parts = split(shown, shape.tags)
    if parts.answer is None:
        return []
    found = list(_ANSWER_TAG.finditer(shown, *parts.answer))
    in_pairs = [match[1] for match in found] == ["", "/"] * (len(found) // 2)
    return [] if in_pairs else [match.span() for match in found]


def _moved(spans: list[Span], by: int) -> list[Span]:
    return [(start + by, end + by) for start, end in spans]


def _unless_empty(text: str, span: Span) -> list[Span]:
    return [] if is_empty(text[slice(*span)]) else [span]


def _without(text: str, spans: list[Span]) -> str:
    """`text` with the spans blanked."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], " " * (end - max(at, start))]
        at = max(at, end)
    return "".join([*pieces, text[at:]])
