"""Does the answer refuse, or speak as an assistant about itself?

    refusal           0.0   "I'm sorry, but I can't help with that", 很抱歉，我无法…, "I don't know"
    partial_refusal   0.5   it refuses, but turns to what it can say and says it
    boilerplate       0.0   "As an AI language model", knowledge cut-offs, "I am ChatGPT"
    courtesy          0.5   "I hope this helps!", "Let me know if …" at its end

Only the answer is judged, in its own words (`speech.py`): a thought may hesitate, and what stands
in quotation marks or in code is shown, not said. Who says "I cannot find any other solution" and
then answers has not refused. Letters decline for their writer. What it cannot tell: a story told by
an unhelpful "I", a translation of a refusal without quotation marks, refusals in other languages.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Literal

from ..models.thinking import Span
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import Part, read_part
from .answers.sentences import sentences
from .contains import Phrases
from .matching.folding import fold
from .matching.phrases import find_phrase
from .refusals.boilerplate_phrases import ABOUT_ITSELF, COURTESY, LETTER, SIGNED
from .refusals.refusal_phrases import (
    ANSWERED,
    CLEAR,
    GOES_ON,
    HELPLESS,
    OPENING,
    OWN_CLAUSE,
    SORRY,
    TURN,
    VALUE,
)
from .refusals.speech import asks_for_a_text, own_words
from .unfinished import UNFINISHED

_OPENING_SENTENCES = 3
_CLOSING_SENTENCES = 2
_GIVEN_INSTEAD = 200
"""Bytes of UTF-8 behind the turn from which on an answer is one in part: a Chinese character, which
says as much as three letters, has three."""
_LETTER_BEGINS, _LETTER_ENDS = 300, 200
_MOST_SPANS = 10
_APOSTROPHES = str.maketrans("’‘", "''")


class Refusal(RowFilter):
    """1.0 for an answer, 0.0 for a refusal or boilerplate, 0.5 for what is half of either."""

    kind: ClassVar[str] = "refusal"
    reasons: ClassVar[frozenset[str]] = (UNFINISHED - {"truncated"}) | {
        "ok",
        "refusal",
        "partial_refusal",
        "boilerplate",
        "courtesy",
    }

    boilerplate: Literal["fail", "ignore"] = "fail"
    """`ignore`: only refusals count."""
    refusals: Phrases = ()
    """More phrases that are refusals wherever they stand."""
    phrases: Phrases = ()
    """More phrases that are boilerplate."""

    def judge_one(self, sample: Sample) -> Verdict:
        part = _answer(sample)
        if isinstance(part, Verdict):
            return part
        said = part.text.translate(_APOSTROPHES)
        text = own_words(said, whole_is_own=not asks_for_a_text(_asked(sample)))
        letter = _is_letter(text)
        spans = list(sentences(text, 0, len(text)))
        if refused := self._refused(text, spans, letter):
            reason = "partial_refusal" if _goes_on(text, refused, spans) else "refusal"
            score = 0.5 if reason == "partial_refusal" else 0.0
            return Verdict(score, reason, {"refusal": part.span(*refused)})
        if self.boilerplate == "ignore":
            return Verdict(1.0, "ok")
        if found := self._about_itself(text):
            return Verdict(0.0, "boilerplate", _evidence("boilerplate", part, found))
        if not letter and (found := _courtesy(text, spans)):
            return Verdict(0.5, "courtesy", _evidence("courtesy", part, found))
        return Verdict(1.0, "ok")

    def _refused(self, text: str, spans: list[Span], letter: bool) -> Span | None:
        """The first refusal that no answer follows."""
        for phrase in self.refusals:
            if found := _find(text, phrase):
                return found[0]
        if letter:
            return None
        for number, (start, end) in enumerate(spans):
            refused = _refuses(text, start, end, opening=number < _OPENING_SENTENCES)
            if refused is not None and not ANSWERED.search(text, refused[1]):
                return refused
        return _helpless(text, spans)

    def _about_itself(self, text: str) -> list[Span]:
        found = [match.span() for match in ABOUT_ITSELF.finditer(text)]
        return found + [span for phrase in self.phrases for span in _find(text, phrase)]


def _answer(sample: Sample) -> Part | Verdict:
    """The answer, also of a completion that was cut: its beginning says whether it refuses."""
    whole = read_part(sample, "answer")
    if isinstance(whole, Verdict) and whole.reason == "truncated":
        return read_part(replace(sample, generation=None), "answer")
    return whole


def _asked(sample: Sample) -> str:
    """The user's last turn."""
    return next((turn.content for turn in reversed(sample.prompt) if turn.role == "user"), "")


def _is_letter(text: str) -> bool:
    begins = LETTER.search(text, 0, _LETTER_BEGINS)
    return begins is not None or SIGNED.search(text, max(0, len(text) - _LETTER_ENDS)) is not None


def _refuses(text: str, start: int, end: int, *, opening: bool) -> Span | None:
    """Where one sentence refuses in a clause of its own."""
    sentence = text[start:end]
    patterns = (CLEAR, OPENING, SORRY) if opening else (CLEAR,)
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            own = OWN_CLAUSE.search(sentence[max(0, match.start() - 40) : match.start()])
            hedged = pattern is not CLEAR and (
                GOES_ON.search(sentence, match.end()) or VALUE.search(text, start + match.end())
            )
            if own and not hedged:
                return start + match.start(), start + match.end()
    return None


def _helpless(text: str, spans: list[Span]) -> Span | None:
    """Where a short answer says that it has none, and nothing else."""
    if not 0 < len(spans) <= _OPENING_SENTENCES or re.search(r"\d|[=\\]", text):
        return None
    start, end = spans[0]
    match = HELPLESS.search(text[start:end])
    turned = match and re.search(r"\b(?:but|so|however|however)\b|但|所以", text[match.end() :])
    own = match and OWN_CLAUSE.search(text[start : start + match.start()])
    return (start + match.start(), start + match.end()) if match and own and not turned else None


def _goes_on(text: str, refused: Span, spans: list[Span]) -> bool:
    """Whether the answer turns from its refusal to something that it gives."""
    begin = refused[1]
    following = [span for span in spans if span[1] > begin][:_OPENING_SENTENCES]
    for start, end in following:
        if TURN.search(text[max(start, begin) : end]):
            return len(text[end:].strip().encode("utf-8", "replace")) >= _GIVEN_INSTEAD
    return False


def _courtesy(text: str, spans: list[Span]) -> list[Span]:
    begin = spans[-_CLOSING_SENTENCES:][0][0] if spans else len(text)
    return [match.span() for match in COURTESY.finditer(text, begin)]


def _find(text: str, phrase: str) -> list[Span]:
    folded = fold(text, case=True, forms=True)
    return list(find_phrase(folded, phrase, whole=True, case=True, forms=True))


def _evidence(name: str, part: Part, spans: list[Span]) -> dict[str, Json]:
    return {name: [part.span(*span) for span in spans[:_MOST_SPANS]]}
