"""What a step that samples can say of its dataset: counts, rates, and what stopping early saved.

Everything here is a function of the rows, in their order. Rates under stop-at-k are estimated
without the bias of stopping at a success (`models/quota.py`). `fixed_n` is what the plan without
stopping would have cost: n samples of each problem, at the mean length that the problem's own
samples had. Memory: a few numbers per problem and row.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..models.order import Attempt
from ..models.quota import pass_rate, standard_error
from ..models.request import Completion
from ..pipeline.stage import Metrics
from ..pipeline.verdict import Verdict

METHOD: Final = "unbiased under stopping (Girshick, Mosteller and Savage 1946)"


class Tally:
    """Filled row by row: first every row and failure in order, then every row's verdicts in order.

    Args:
        quota: accepted samples at which a problem had enough; None: all n were drawn.
        samples: n of the first tier.
        problems: how many there are.
    """

    def __init__(self, quota: int | None, samples: int, problems: int) -> None:
        self.quota = quota
        self.samples = samples
        self.failed: dict[str, int] = {}
        """Failures by reason."""
        self.positions = array("q")
        """Which problem each row belongs to, in the order of the rows."""
        self._in_first_tier = array("b")
        self.drawn = array("q", bytes(8 * problems))
        """Samples and failures of each problem, of the first tier."""
        self.accepted = array("q", bytes(8 * problems))
        """Accepted ones among `drawn`."""
        self.accepted_in_all = array("q", bytes(8 * problems))
        """The same over all tiers."""
        self._known_lengths = array("q", bytes(8 * problems))
        self._length_sums = array("d", bytes(8 * problems))
        self._sums: dict[str, list[float]] = {}
        self._judged = 0
        self._prompt_tokens = self._completion_tokens = 0
        self._surplus = self._surplus_tokens = 0
        self._finish: Counter[str] = Counter()
        self._numerics: Counter[str] = Counter()
        self._models: Counter[str] = Counter()

    def row(self, attempt: Attempt, done: Completion) -> None:
        """A sample of the dataset."""
        self.positions.append(attempt.position)
        first = attempt.request.tier == 0
        self._in_first_tier.append(first)
        self.drawn[attempt.position] += first
        tokens = done.completion_tokens
        if first and tokens is not None:
            self._known_lengths[attempt.position] += 1
            self._length_sums[attempt.position] += tokens
        self._prompt_tokens += done.prompt_tokens or 0
        self._completion_tokens += tokens or 0
        self._finish[done.finish_reason] += 1
        self._numerics[done.numerics] += 1
        self._models[done.model] += 1

    def failure(self, attempt: Attempt) -> None:
        """An attempt that failed for good: drawn, and not accepted."""
        self.drawn[attempt.position] += attempt.request.tier == 0

    def surplus(self, beyond: Iterable[Completion | None]) -> None:
        """Completions that were bought and lie beyond the end of a problem's prefix."""
        for done in beyond:
            if done is not None:
                self._surplus += 1
                self._surplus_tokens += done.completion_tokens or 0

    def judged(self, verdicts: Mapping[str, Verdict], accepted: bool) -> None:
        """The next row's verdicts."""
        position = self.positions[self._judged]
        self.accepted_in_all[position] += accepted
        self.accepted[position] += accepted and self._in_first_tier[self._judged]
        self._judged += 1
        for name, verdict in verdicts.items():
            known, total, missing = self._sums.get(name, (0, 0.0, 0))
            if verdict.score is None:
                self._sums[name] = [known, total, missing + 1]
            else:
                self._sums[name] = [known + 1, total + verdict.score, missing]

    def unjudged(self, name: str) -> int:
        """Rows on which a filter could say nothing."""
        return int(self._sums[name][2]) if name in self._sums else 0

    def metrics(self) -> Metrics:
        """Counts that every such step reports; None where there is nothing to divide by."""
        rows = len(self.positions)
        found: Metrics = {
            "attempts": rows + sum(self.failed.values()),
            "rows": rows,
            "failed": self.failed,
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": self._completion_tokens,
            "mean_completion_tokens": _ratio(self._completion_tokens, rows),
            "finish_reasons": dict(sorted(self._finish.items())),
            "models": dict(sorted(self._models.items())),
            "numerics": [
                {**json.loads(text), "completions": count}
                for text, count in sorted(self._numerics.items())
            ],
        }
        for name, (known, total, _) in sorted(self._sums.items()):
            found[f"rate/{name}"] = _ratio(total, known)
        return found

    def acceptance(self) -> Metrics:
        """How many rows meet every threshold, and what each of them cost."""
        accepted = sum(self.accepted_in_all)
        attempts = len(self.positions) + sum(self.failed.values())
        rates = [
            rate
            for drawn, good in zip(self.drawn, self.accepted, strict=True)
            if (rate := pass_rate(good, drawn, self.quota)) is not None
        ]
        return {
            "accepted": accepted,
            "accepted_share": _ratio(accepted, len(self.positions)),
            "pass_rate": _ratio(sum(rates), len(rates)),
            "pass_rate_se": standard_error(rates),
            "pass_rate_method": METHOD,
            "samples_per_accepted": _ratio(attempts, accepted),
            "tokens_per_accepted": _ratio(self._completion_tokens, accepted),
        }

    def stopping(self, quota: int) -> Metrics:
        """What stopping at `quota` accepted samples left, and what it saved."""
        solved = sum(count >= quota for count in self.accepted_in_all)
        fixed = self._fixed_n_tokens()
        return {
            "solved": solved,
            "unsolved": len(self.accepted_in_all) - solved,
            "surplus": {"completions": self._surplus, "tokens": self._surplus_tokens},
            "fixed_n": {
                "samples": self.samples * len(self.drawn),
                "completion_tokens": None if fixed is None else round(fixed),
                "times_as_many_tokens": _ratio(fixed, self._completion_tokens),
            },
        }

    def _fixed_n_tokens(self) -> float | None:
        """n samples of each problem at its own mean length; None if no length is known."""
        means = [
            total / count
            for total, count in zip(self._length_sums, self._known_lengths, strict=True)
            if count
        ]
        if not means:
            return None
        unknown = len(self.drawn) - len(means)
        return self.samples * (sum(means) + unknown * sum(means) / len(means))


def _ratio(total: float | None, count: float) -> Any:
    return total / count if total is not None and count else None
