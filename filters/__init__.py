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

from ..pipeline.catalog import Kinds
from ..pipeline.filter import Filter

FILTERS: Kinds[Filter] = Kinds(
    __name__,
    {
        "choice": "choice:Choice",
        "code": "code:Code",
        "contains": "contains:Contains",
        "exact": "exact:Exact",
        "format": "format:Format",
        "json_schema": "json_schema:JsonSchema",
        "keywords": "keywords:Keywords",
        "language": "language:Language",
        "length": "length:Length",
        "math": "math:MathAnswer",
        "pattern": "pattern:Pattern",
        "refusal": "refusal:Refusal",
        "repetition": "repetition:Repetition",
        "reward_model": "reward_model:RewardModel",
        "votes": "votes:Votes",
    },
)
