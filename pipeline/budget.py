"""What one command may spend on teachers, over all its steps, and what it has spent.

The caps are those of one invocation (`run --max-tokens …`): the same command goes on and may spend
as much again. A step stops itself when its part is used up (models/buying.py); the runner keeps
the sum over steps, and ends a step that cannot stop itself when time is up. Within a step several
may buy at once, as generation and a judge that asks a model: `Spending` is where they see it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

from .errors import RequestError

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Paid for in this run."""

    tokens: int = 0
    """Of prompts and completions."""
    requests: int = 0
    usd: float = 0.0

    def plus(self, other: Spent) -> Spent:
        return Spent(
            self.tokens + other.tokens, self.requests + other.requests, self.usd + other.usd
        )

    @staticmethod
    def total(parts: Iterable[Spent]) -> Spent:
        """The sum over steps."""
        whole = Spent()
        for part in parts:
            whole = whole.plus(part)
        return whole


class Spending:
    """What the buyers of one step have spent so far; each adds itself, from any thread."""

    def __init__(self) -> None:
        self._buyers: dict[Hashable, Callable[[], Spent]] = {}

    def add(self, buyer: Hashable, spent: Callable[[], Spent]) -> None:
        """Join, or tell in another way from now on what one has spent since the step began."""
        self._buyers[buyer] = spent

    def beside(self, buyer: Hashable) -> Spent:
        """What all the others have spent."""
        others = [spent for other, spent in list(self._buyers.items()) if other != buyer]
        return Spent.total(spent() for spent in others)


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps; None is no cap."""

    tokens: int | None = None
    requests: int | None = None
    usd: float | None = None
    deadline: float | None = None
    """`time.time()` at which to stop."""

    @staticmethod
    def of(
        tokens: int | None = None,
        requests: int | None = None,
        usd: float | None = None,
        hours: float | None = None,
    ) -> Budget:
        """The caps that a command was given; `hours` count from now.

        Raises:
            RequestError: a cap is not a number above 0.
        """
        caps = {"tokens": tokens, "requests": requests, "usd": usd, "hours": hours}
        for name, cap in caps.items():
            if cap is not None and not 0 < cap < math.inf:
                raise RequestError(
                    f"--max-{name} {cap:g}: expected a number above 0; leave it out for no cap"
                )
        deadline = None if hours is None else time.time() + hours * SECONDS_PER_HOUR
        return Budget(tokens, requests, usd, deadline)

    @property
    def seconds_left(self) -> float | None:
        """Until the deadline, never below zero; None if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.time())

    def less(self, spent: Spent) -> Budget:
        """What is left after some was spent; never below zero."""
        return replace(
            self,
            tokens=None if self.tokens is None else max(0, self.tokens - spent.tokens),
            requests=None if self.requests is None else max(0, self.requests - spent.requests),
            usd=None if self.usd is None else max(0.0, self.usd - spent.usd),
        )

    def reached(self, spent: Spent) -> str | None:
        """The option whose cap is used up, such as `--max-tokens 1,000`; None if there is room."""
        if self.tokens is not None and spent.tokens >= self.tokens:
            return f"--max-tokens {self.tokens:,}"
        if self.requests is not None and spent.requests >= self.requests:
            return f"--max-requests {self.requests:,}"
        if self.usd is not None and spent.usd >= self.usd:
            return f"--max-usd {self.usd:g}"
        if self.seconds_left == 0:
            return "--max-hours"
        return None
