r"""Does the answer contain the key, or the phrases that the config names?

By default one looks for the key in the final answer (the last `\boxed{…}`, or all that stands after
the thought), as whole words and regardless of case. An answer that lists every candidate contains
the key too: where that matters, ask for a box, or use `exact`. With `all_of` or `any_of` these are
looked for and the sample's key is not. Where phrases were found is in the evidence.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import Part, Where, key_text, printable, read_part, unwrapped
from .matching.folding import Folded, fold
from .matching.phrases import find_phrase
from .unfinished import UNFINISHED

Phrases = tuple[Annotated[str, Field(min_length=1, pattern=r"\S")], ...]


class Contains(RowFilter):
    """1.0 if what is looked for is there, 0.0 if not, None without a key to look for."""

    kind: ClassVar[str] = "contains"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {"no_key", "correct", "wrong"}

    all_of: Phrases = ()
    """Each of these has to be there."""
    any_of: Phrases = ()
    """One of these has to be there."""
    where: Where = "boxed"
    whole_words: bool = True
    """`cat` is not in `category`, 5 not in 15 (`phrases.py`)."""
    ignore_case: bool = True
    ignore_forms: bool = True
    """Full-width and other forms of the same sign are equal (`folding.py`)."""

    def judge_one(self, sample: Sample) -> Verdict:
        all_of: tuple[str, ...] = self.all_of
        if not (self.all_of or self.any_of):
            key = unwrapped(key_text(sample.answer or ""))
            if not key:
                return Verdict(None, "no_key")
            all_of = (key,)
        part = read_part(sample, self.where)
        if isinstance(part, Verdict):
            return part
        text = fold(part.text, case=self.ignore_case, forms=self.ignore_forms)
        phrases = (*all_of, *self.any_of)
        spans: dict[str, Json] = {phrase: self._first(part, text, phrase) for phrase in phrases}
        every = all(spans[phrase] for phrase in all_of)
        some = not self.any_of or any(spans[phrase] for phrase in self.any_of)
        found: list[Json] = [span for span in spans.values() if span]
        missing: list[Json] = [printable(phrase) for phrase in all_of if not spans[phrase]]
        evidence: dict[str, Json] = {"found": found}
        if missing:
            evidence["missing"] = missing
        good = every and some
        return Verdict(float(good), "correct" if good else "wrong", evidence)

    def _first(self, part: Part, text: Folded, phrase: str) -> Json:
        """Where `phrase` stands first in `part`, whose folded form is `text`."""
        whole, case, forms = self.whole_words, self.ignore_case, self.ignore_forms
        found = find_phrase(text, phrase, whole=whole, case=case, forms=forms)
        return next((part.span(*span) for span in found), None)

    def answering(self, key: str) -> str:
        """A completion that answers exactly `key`."""
        return key
