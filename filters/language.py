"""How much of the chain of thought is written in the language asked for?

score = words in the target language / all words of the thought (DeepSeek-R1, Nature 2025, eq. 7),
with math, code, links, identifiers and single letters masked (`masking.py`) and words as defined
in `words.py`. A thought with no word at all fails with `no_words`: otherwise writing none would be
the surest way to a full score (design, idea 5). A completion without think tags is read whole.

Languages are told by script, so the targets are the two whose scripts differ: `en` (Latin) and
`zh` (Han). Other targets are `unsupported_language`, unknown rather than wrong. In a text that
should be Chinese, a capitalised word that also stands in the prompt is a name and not counted.
"""

from __future__ import annotations

import re
from typing import ClassVar

from ..models.thinking import Span, reasoning_span, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .masking import mask
from .words import count_language_words, language_words

_SCRIPTS = {"en": ("Latin", ("Han", "other")), "zh": ("Han", ("Latin", "other"))}
"""For each language: the script of its words, and those of all other words."""
_MOST_SPANS = 50
_JOINING = re.compile(r"[^\w\n]{0,3}")
"""Spaces and commas between two foreign words do not split a span."""


class Language(RowFilter):
    """Share of target-language words in the thought; the target is the sample's `language`."""

    kind: ClassVar[str] = "language"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            "ok",  # every word is of the target language
            "mixed_languages",  # some are not: the score is the share
            "wrong_language",  # none is
            "no_words",  # nothing but math or code, or nothing at all
            "no_completion",
            "no_target_language",
            "unsupported_language",
        }
    )

    def judge_one(self, sample: Sample) -> Verdict:
        if sample.completion is None:
            return Verdict(None, "no_completion")
        if not sample.language:
            return Verdict(None, "no_target_language")
        target = re.split("[-_]", sample.language.lower())[0]
        if target not in _SCRIPTS:
            return Verdict(None, "unsupported_language", {"supported": [*_SCRIPTS]})
        own, others = _SCRIPTS[target]
        start, end = reasoning_span(split(sample.completion), sample.completion)
        text = mask(sample.completion[start:end])
        found = [word for script in others for word in language_words(text, script)]
        if found:
            names = _names(sample)
            found = [word for word in found if word[0] not in names]
        foreign = sorted((start + left, start + right) for _, left, right in found)
        return _verdict(count_language_words(text, own), foreign, sample.completion)


def _names(sample: Sample) -> set[str]:
    """Capitalised words of the prompt: `Natalia` in a Chinese thought about her clips."""
    words = (word for turn in sample.prompt for word, _, _ in language_words(turn.content, "Latin"))
    return {word for word in words if word[0].isupper()}


def _verdict(known: int, foreign: list[Span], completion: str) -> Verdict:
    words = known + len(foreign)
    evidence: dict[str, Json] = {"words": words, "target_words": known}
    if not words:
        return Verdict(0.0, "no_words", evidence)
    if not foreign:
        return Verdict(1.0, "ok", evidence)
    spans = _merged(foreign, completion)
    evidence["foreign"] = [[start, end] for start, end in spans[:_MOST_SPANS]]
    evidence["foreign_spans"] = len(spans)
    return Verdict(known / words, "mixed_languages" if known else "wrong_language", evidence)


def _merged(spans: list[Span], text: str) -> list[Span]:
    """Neighbouring foreign words become one span: a phrase is easier to read than its letters."""
    merged = [spans[0]]
    for start, end in spans[1:]:
        before = merged[-1][1]
        if start - before <= 3 and _JOINING.fullmatch(text, before, start):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
