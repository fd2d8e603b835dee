"""Tags that look like those of a thought but are not the ones asked for.

`<thinking>`, `<Think>`, `< think >`, `<think/>`, `＜think＞`, `[THINK]`, `◁think▷`, a tag without
its last bracket: models and data sets write them, parsers do not read them, and the thought becomes
part of the answer. A tag in code, or one of which the prompt speaks within a line of prose, is only
shown. Tags with names of other kinds (`<plan>`, `<reflection>`) are text.
"""

from __future__ import annotations

import re

from ...models.thinking import Span, tag_spans
from .debris import mentioned
from .layout import without_code
from .shape import Shape

_NAMES = r"(?:ant|seed:|begin_of_|end_of_)?(?:think(?:ing)?|thoughts?|reasoning)|思考"
_BEGIN, _END = r"[<＜〈《◁]\s?[|｜]?\s?", r"\s?[|｜]?\s?/?\s?[>＞〉》▷]"
_BRACKETED = (
    rf"{_BEGIN}[/\\]?\s?(?:{_NAMES}){_END}"
    rf"|\[\s?/?\s?(?:THINK|THINKING|think)\s?\]"
    r"|<\\?/?think(?=\s|$)"
)
_WITH_BRACKET = re.compile(_BRACKETED, re.IGNORECASE)
_LOOKALIKE = re.compile(rf"{_BRACKETED}|(?<![\w<＜〈《◁|｜/\\ -])/?think>", re.IGNORECASE)
_WITHOUT_FIRST_BRACKET = re.compile(r">(?<=think>)(?<!<think>)(?<!</think>)", re.IGNORECASE)
"""Found at its last character, which is rare: most texts need not be searched for more."""


def wrong_tags(shape: Shape) -> list[Span]:
    """Places of look-alikes of the tags, outside of code."""
    shown = without_code(shape.text)
    own = {*tag_spans(shown, shape.tags.open), *tag_spans(shown, shape.tags.close)}
    pattern = _LOOKALIKE if _WITHOUT_FIRST_BRACKET.search(shown) else _WITH_BRACKET
    found = (match.span() for match in pattern.finditer(shown))
    return [span for span in found if span not in own and not mentioned(span, shown, shape.prompt)]
