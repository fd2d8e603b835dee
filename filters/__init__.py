"""Judges: one file per judgement. `FILTERS` is the explicit table from name to class.

A filter is a class with fields (its config), a closed list of reasons and one method:

    # my_filters.py
    from typing import ClassVar
    from potstill.models.thinking import reasoning_span, split
    from potstill.pipeline.filter import RowFilter
    from potstill.pipeline.verdict import Verdict

    class Hedging(RowFilter):
        kind: ClassVar[str] = "hedging"
        reasons: ClassVar[frozenset[str]] = frozenset({"ok", "hedges", "no_completion"})
        word: str = "maybe"

        def judge_one(self, sample):                           # in a process of its own
            if sample.completion is None:
                return Verdict(None, "no_completion")          # None: could not judge
            count = sample.completion.count(self.word)
            return Verdict(1 / (1 + count), "hedges" if count else "ok", {"count": count})

A recipe names it `hedging: {kind: "my_filters:Hedging", word: perhaps}`; 1.0 is always good.
One that ships with potstill gets a line below, a table of cases in `tests/filters/cases` and its
golden verdicts (`python tests/filters/golden.py`). Change a judgement, and raise its `version`.
"""

from ..pipeline.filter import Filter
from .choice import Choice
from .code import Code
from .contains import Contains
from .exact import Exact
from .format import Format
from .json_schema import JsonSchema
from .keywords import Keywords
from .language import Language
from .length import Length
from .math import MathAnswer
from .pattern import Pattern
from .refusal import Refusal
from .repetition import Repetition
from .reward_model import RewardModel
from .votes import Votes

FILTERS: dict[str, type[Filter]] = {
    "choice": Choice,
    "code": Code,
    "contains": Contains,
    "exact": Exact,
    "format": Format,
    "json_schema": JsonSchema,
    "keywords": Keywords,
    "language": Language,
    "length": Length,
    "math": MathAnswer,
    "pattern": Pattern,
    "refusal": Refusal,
    "repetition": Repetition,
    "reward_model": RewardModel,
    "votes": Votes,
}

__all__ = [
    "FILTERS",
    "Choice",
    "Code",
    "Contains",
    "Exact",
    "Format",
    "JsonSchema",
    "Keywords",
    "Language",
    "Length",
    "MathAnswer",
    "Pattern",
    "Refusal",
    "Repetition",
    "RewardModel",
    "Votes",
]
