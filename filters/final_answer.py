"""Find the final answer in a completion: what the model claims, before anybody checks it.

It stands after the last `</think>`: the content of the last `\\boxed{…}`, or else the whole text,
in which the checker has to look for it. Several boxes that say different things are noted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..models.thinking import Span, split
from ..pipeline.verdict import Json
from .boxed import find_boxes
from .complexity import LONGEST
from .numbers import same
from .tidy import tidy

TAIL = 2000
"""Code points from the end in which an unboxed answer is looked for."""

_HAN_ANSWER = re.compile(r"答案(?:应该)?(?:就?是|为)?\s*[:：]?")
_HAN_BESIDE_MATH = re.compile(
    r"(?<=[\u3000-\u9fff：，])(?=[-\d.$\\])|(?<=[\d$])(?=[\u3000-\u9fff])"
)


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """An answer to be checked, or the reason why there is none."""

    text: str
    boxed: bool
    """It is an expression; else it is text in which one has to be found."""
    fault: str | None = None
    """`unclosed_think`, `unclosed_box`, `no_answer`, or None."""
    evidence: dict[str, Json] = field(default_factory=dict)


def find_answer(completion: str) -> FinalAnswer:
    """The final answer of a completion, tidied if it is boxed."""
    parts = split(completion)
    if parts.answer is None:
        return FinalAnswer("", False, "unclosed_think")
    boxes = find_boxes(completion, parts.answer[0])
    if boxes.last_is_unclosed:
        return FinalAnswer("", False, "unclosed_box")
    boxed = bool(boxes.contents)
    span = boxes.contents[-1] if boxed else parts.answer
    text = completion[slice(*span)]
    evidence: dict[str, Json] = {"answer_span": list(span)} if boxed else {}
    if len(boxes.contents) > 1:
        evidence |= _several(completion, boxes.contents)
    if not text.strip():
        return FinalAnswer("", boxed, "no_answer", evidence)
    readable = _tidied(text) if boxed else _for_english_rules(text[-TAIL:])
    return FinalAnswer(readable, boxed, None, evidence)


def tidy_key(key: str) -> str:
    """A key as it is compared: unboxed and tidied."""
    boxes = find_boxes(key).contents
    return _tidied(key[slice(*boxes[-1])] if boxes else key)


def _tidied(text: str) -> str:
    """Over-long text stays as it is: no check will evaluate it, and tidying could be slow."""
    return tidy(text) if len(text) <= LONGEST else text


def _several(text: str, boxes: list[Span]) -> dict[str, Json]:
    """The last box is the answer; that the others say something else is worth knowing."""
    *others, last = (_tidied(text[slice(*box)]) for box in boxes)
    disagree = any(same(other, last) is not True for other in set(others))
    return {"boxes": len(boxes), "boxes_disagree": disagree}


def _for_english_rules(text: str) -> str:
    """math-verify finds answers by English phrases and spaces; Chinese needs both written out."""
    return _HAN_BESIDE_MATH.sub(" ", _HAN_ANSWER.sub(" answer: ", text)).strip()
