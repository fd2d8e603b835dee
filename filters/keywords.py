"""Are the required words there, and the forbidden ones not?

    keywords: {require: [because, therefore], forbid: [as an AI], where: completion}

The score is the share of the required words that are there; one forbidden word makes it 0.0. Words
are whole words and found regardless of case unless the config says otherwise; Chinese and other
scripts without spaces have no word boundaries, so there they are found anywhere (`phrases.py`).
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import Where, printable, read_part
from .contains import Phrases
from .matching.folding import Folded, fold
from .matching.phrases import find_phrase
from .unfinished import UNFINISHED

_MOST_SPANS = 20


class Keywords(RowFilter):
    """1.0 if all is as asked; else the share of required words that are there, or 0.0."""

    kind: ClassVar[str] = "keywords"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {"ok", "forbidden_keyword", "missing_keyword"}

    require: Phrases = ()
    forbid: Phrases = ()
    where: Where = "answer"
    whole_words: bool = True
    ignore_case: bool = True
    ignore_forms: bool = True
    """Full-width and other forms of the same sign are equal (`folding.py`)."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Keywords:
        if not (self.require or self.forbid):
            raise ValueError("nothing to look for; give keywords require: […] or forbid: […]")
        if both := sorted({*self.require} & {*self.forbid}):
            raise ValueError(f"{both[0]!r} is required and forbidden: nothing could be good")
        return self

    def judge_one(self, sample: Sample) -> Verdict:
        part = read_part(sample, self.where)
        if isinstance(part, Verdict):
            return part
        text = fold(part.text, case=self.ignore_case, forms=self.ignore_forms)
        forbidden = [span for word in self.forbid for span in self._find(text, word)]
        if forbidden:
            spans: list[Json] = [part.span(*span) for span in sorted(forbidden)[:_MOST_SPANS]]
            return Verdict(0.0, "forbidden_keyword", {"forbidden": spans})
        found = {word: next(iter(self._find(text, word)), None) for word in self.require}
        there: list[Json] = [part.span(*span) for span in found.values() if span]
        missing: list[Json] = [printable(word) for word, span in found.items() if not span]
        if not missing:
            return Verdict(1.0, "ok", {"required": there} if there else {})
        score = 1.0 - len(missing) / len(found)
        return Verdict(score, "missing_keyword", {"required": there, "missing": missing})

    def _find(self, text: Folded, word: str) -> list[tuple[int, int]]:
        whole, case, forms = self.whole_words, self.ignore_case, self.ignore_forms
        return list(find_phrase(text, word, whole=whole, case=case, forms=forms))
