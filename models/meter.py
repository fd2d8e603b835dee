"""What generation has done and spent, what it will still need, and when its budget is used up.

Only what is durable counts as spent, and what a teacher discarded after it may have been paid. A
request is made only if the budget also covers what is in flight, each at the size that answers
have had so far (mean and two standard deviations; before that: the most they may have). So a cap is
kept but for answers that are longer than usual.

The forecast comes from the problems done in this run: their mean and its spread, times the
problems left. It is an interval, not a promise: the problems left may be harder.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..pipeline.budget import Budget, Spent
from .demand import Pursuit
from .request import Completion
from .teacher import Price

_Z: Final = 1.96
"""Standard deviations to either side of a 95 % interval."""
_ENOUGH: Final = 8
"""Answers, or problems, from which a mean is taken."""


@dataclass
class Spread:
    """Count, mean and variance of some numbers, as they come; the numbers are tokens."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation; 0 below two values."""
        if self.count < 2:
            return 0.0
        spread = self.squares - self.count * self.mean**2
        return math.sqrt(max(0.0, spread) / (self.count - 1))

    def of_next(self, more: int) -> tuple[float, float, float]:
        """The sum of the next `more` values: low, expected, high (95 %, as if drawn alike)."""
        expected = more * self.mean
        # The mean itself is uncertain, and so are the values to come.
        error = self.deviation * math.sqrt(more + more * more / max(1, self.count))
        return max(0.0, expected - _Z * error), expected, expected + _Z * error


@dataclass
class Meter:
    """Sums of one run of the loop, for one tier of one step."""

    budget: Budget
    """What is left for this tier."""
    price: Price | None
    num_problems: int
    most_tokens: int
    """The most that one answer may have, by its `max_tokens`."""
    beside: Callable[[], Spent] = Spent
    """What others spend of the same budget meanwhile."""
    started: float = field(default_factory=time.monotonic)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0
    """Durable answers, and answers that were paid for and of no use."""
    problems_done: int = 0
    answers: Spread = field(default_factory=Spread)
    problems: Spread = field(default_factory=Spread)

    def __post_init__(self) -> None:
        self._is_unlimited = self.budget == Budget()

    def problem_done(self, pursuit: Pursuit) -> None:
        """A problem wants nothing more."""
        self.problems_done += 1
        if pursuit.tokens:
            self.problems.add(pursuit.tokens)

    def answered(self, done: Completion) -> int:
        """Take note of a bought answer; returns the tokens of the completion."""
        completion = done.completion_tokens or 0
        self.answers.add(completion + (done.prompt_tokens or 0))
        return completion

    @property
    def usd(self) -> float:
        """US dollars; 0 where no price is known."""
        return self.price.of(self.prompt_tokens, self.completion_tokens) if self.price else 0.0

    @property
    def spent(self) -> Spent:
        return Spent(self.prompt_tokens + self.completion_tokens, self.requests, self.usd)

    def cap(self, outstanding: int = 0) -> str | None:
        """The cap that one more request could pass, as its option; None if it may be made.

        Args:
            outstanding: requests made whose answers are not durable yet.
        """
        if self._is_unlimited:
            return None
        spent = self.spent.plus(self.beside())
        if outstanding == 0:
            return self.budget.reached(spent)
        one = self.answers.mean + 2 * self.answers.deviation
        if self.answers.count < _ENOUGH:
            one = float(self.most_tokens)
        expected = max(0, round(one * (outstanding + 1)) - 1)
        usd = self.price.of(0, expected) if self.price else 0.0
        return self.budget.reached(spent.plus(Spent(expected, outstanding, usd)))

    def facts(self) -> dict[str, Any]:
        """What the progress shows of the spending."""
        if not self.completion_tokens:
            return {}
        seconds = max(time.monotonic() - self.started, 1e-3)
        rate = round(self.completion_tokens / seconds)
        facts: dict[str, Any] = {
            "requests": self.requests,
            "tokens": self.completion_tokens,
            "tokens/s": rate,
        }
        if self.price is not None:
            facts["cost"] = dollars(self.usd)
        left = self.num_problems - self.problems_done
        if self.problems.count >= _ENOUGH and left > 0:
            low, middle, high = self.problems.of_next(left)
            facts["tokens left"] = f"{_short(middle)} ({_short(low)}–{_short(high)})"
            if self.price is not None:
                facts["cost left"] = dollars(middle * self.usd / self.completion_tokens)
        return facts


def dollars(usd: float) -> str:
    """`$1,234.50`; four digits below ten cents."""
    return f"${usd:,.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.2g}"


def _short(tokens: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if tokens >= size:
            return f"{tokens / size:.3g}{unit}"
    return f"{tokens:.0f}"
