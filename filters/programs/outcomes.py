"""What a trial finds: an outcome for each case, and what a verdict tells of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .printed import Whitespace
from .reports import Failed

Score = Literal["all", "share"]
Outcome = Failed | None
"""None: passed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How cases are compared and counted; the key's rules go before those of the config."""

    score: Score = "all"
    whitespace: Whitespace = "lines"
    float_tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the cases: of all, or of those up to the first that failed."""

    outcomes: Sequence[Outcome]
    cases: int
    in_process: bool = False
    """Something was checked inside, where the program could meddle with it."""

    @property
    def passed(self) -> int:
        """Cases that passed; where all have to, those before the first that did not."""
        return sum(outcome is None for outcome in self.outcomes)

    @property
    def first(self) -> tuple[int, Failed] | None:
        """The first case that failed, and how; None: all passed."""
        for number, outcome in enumerate(self.outcomes):
            if outcome is not None:
                return number, outcome
        return None
