r"""Does the answer say exactly the key, and nothing else?

The answer is the content of the last `\boxed{…}`, or all that stands after the thought. Marks
around the whole (bold, code, `\text{…}`, quotation marks) and a final full stop are no part of it;
what else does not count is told by the fields. An answer that embeds the key in a sentence is
`wrong` here: see `contains`. Numbers and formulas that are equal but written differently are for
`math`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Literal

from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import key_text, printable, read_part, unwrapped
from .matching.folding import fold
from .unfinished import UNFINISHED

_STOPS = ".。．｡"
_SPACES = re.compile(r"\s+")


class Exact(RowFilter):
    """1.0 if the answer equals the key, 0.0 if it does not, None without a key."""

    kind: ClassVar[str] = "exact"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {"no_key", "correct", "wrong"}

    where: Literal["boxed", "answer"] = "boxed"
    """`answer`: all of the answer has to equal the key, even if it has a box."""
    ignore_case: bool = True
    """yes = Yes; switch it off where case matters (Co and CO, code)."""
    ignore_space: bool = True
    """Runs of white space count as one space, and around the text as none."""
    ignore_forms: bool = True
    """Full-width and other forms of the same sign are equal (`folding.py`)."""
    ignore_punctuation: bool = False
    """All punctuation is left out, so that `U.S.` = `US`; then -5 = 5 too."""

    def judge_one(self, sample: Sample) -> Verdict:
        if sample.answer is None or not sample.answer.strip():
            return Verdict(None, "no_key")
        part = read_part(sample, self.where)
        if isinstance(part, Verdict):
            return part
        evidence: dict[str, Json] = {
            "answer": printable(part.text.strip()),
            "answer_span": part.span(0, len(part.text)),
        }
        same = self._form(part.text) == self._form(key_text(sample.answer))
        return Verdict(float(same), "correct" if same else "wrong", evidence)

    def _form(self, text: str) -> str:
        """What of a text counts."""
        text = unwrapped(unwrapped(text).rstrip(_STOPS))
        text = fold(text, case=self.ignore_case, forms=self.ignore_forms).text
        if self.ignore_punctuation:
            text = "".join(sign for sign in text if unicodedata.category(sign)[0] != "P")
        return _SPACES.sub(" ", text).strip() if self.ignore_space else text

    def answering(self, key: str) -> str:
        """A completion that answers exactly `key`."""
        return key
