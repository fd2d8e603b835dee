r"""Find the final answer in a completion: what the model claims, before anybody checks it.

It stands after the last closed `</think>` (in all of the text if there are no tags), and is

1. the last balanced `\boxed{…}`; two boxes in one sentence that say different things contradict
   each other, while a later sentence corrects an earlier one;
2. else what the last phrase such as "the answer is", `答案：` or `####` announces;
3. else the single expression of the text, or of its last sentence with one.

An empty last box, or one that is never closed, is no answer; an open one that only begins to repeat
the last answer is harmless. Nothing is evaluated here, and no text is searched for "something".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...models.thinking import Span, split
from ...pipeline.verdict import Json
from ..equivalence.complexity import LONGEST
from .answer_phrases import announcements
from .answer_value import agree, claimed_value
from .bare_answer import bare_answer
from .boxed import Boxes, find_boxes
from .claims import claimed
from .prose_expressions import Expression
from .sentences import sentences

_SHOWN = 5
"""Contradicting answers kept as evidence."""
_OPEN_CONTENT = re.compile(r"[^$\n]*+")
_RETRACTED = re.compile(
    r"\b(?:wait|hold on|correction|oops|scratch that|on second thought|i made an? (?:mistake|error)"
    r"|(?:that|this)(?:['’]s| is| was) (?:wrong|not right|incorrect|not correct))\b"
    r"|不对|错了|等等|更正",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    r"\b(?:yes|correct|confirmed|confirms|matches|indeed|consistent|checks out)\b|✓|✔|没错|正确",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """An answer to be checked, or the reason why there is none."""

    text: str
    """One expression as it is written, not tidied; empty where there is a fault."""
    fault: str | None = None
    """`thinking_not_closed`, `no_answer`, `contradictory_answers`, or None."""
    evidence: dict[str, Json] = field(default_factory=dict)
    """`answer_span`, `found_by` (`boxed`, `phrase`, `bare`); `bare_answer`, `boxes`, `answers`."""


def find_answer(completion: str) -> FinalAnswer:
    """The final answer of a completion."""
    span = split(completion).answer
    if span is None:
        return FinalAnswer("", "thinking_not_closed")
    boxes = find_boxes(completion, span[0])
    if boxes.contents or boxes.last_is_unclosed:
        return _in_box(completion, span, boxes)
    return _in_prose(completion, span)


def _value(text: str) -> str:
    """Over-long text stays as it is: nothing will evaluate it."""
    return (claimed_value(text) if len(text) <= LONGEST else "") or text.strip()


def _in_box(text: str, span: Span, boxes: Boxes) -> FinalAnswer:
    inner = boxes.innermost()
    if boxes.left_open is not None:
        match = _OPEN_CONTENT.match(text, boxes.left_open)
        begun = match.group().strip() if match else ""
        if not inner or (begun and not agree(begun, text[slice(*inner[-1])].strip())):
            return FinalAnswer("", "no_answer", {"box_left_open": boxes.left_open})
    begin = _sentence_start(text, span, inner[-1][0]) if len(inner) > 1 else span[0]
    together = [box for box in inner if box[0] >= begin and text[slice(*box)].strip()]
    if not together:
        return FinalAnswer("", "no_answer", {"boxes": len(inner)})
    answers = list(dict.fromkeys(text[slice(*box)].strip() for box in together))
    evidence: dict[str, Json] = {"answer_span": list(together[-1]), "found_by": "boxed"}
    evidence["boxes"] = len(inner)
    if any(not agree(answer, answers[-1]) for answer in answers[:-1]):
        evidence["answers"] = [answer[:LONGEST] for answer in answers[-_SHOWN:]]
        return FinalAnswer("", "contradictory_answers", evidence)
    return FinalAnswer(_value(text[slice(*together[-1])]), None, evidence)


def _sentence_start(text: str, span: Span, at: int) -> int:
    """Where the sentence begins in which `at` stands."""
    begin = span[0]
    for start, _ in sentences(text, *span):
        if start > at:
            break
        begin = start
    return begin


def _in_prose(text: str, span: Span) -> FinalAnswer:
    for announcement in announcements(text, *span):
        if (answer := claimed(text, announcement, span[1])) is not None:
            later = (max(announcement.claim[1], announcement.phrase[1]), span[1])
            correction = _correction(text, later)
            return _found(correction, "bare") if correction else _found(answer, "phrase")
    answer = bare_answer(text, span)
    return _found(answer, "bare") if answer else FinalAnswer("", "no_answer")


def _correction(text: str, span: Span) -> Expression | None:
    """What the text behind an announced answer says instead, if it takes the answer back."""
    retracted = _RETRACTED.search(text, *span)
    if retracted is None or _CONFIRMED.search(text, retracted.end(), span[1]):
        return None
    return bare_answer(text, (retracted.end(), span[1]))


def _found(answer: Expression, found_by: str) -> FinalAnswer:
    evidence: dict[str, Json] = {"answer_span": list(answer.span), "found_by": found_by}
    if found_by == "bare":
        evidence["bare_answer"] = True
    return FinalAnswer(_value(answer.text), None, evidence)
