"""What a step that asks a model is about to buy: requests, tokens and money, with an interval.

Made by the stage (`Stage.forecast`), shown by `potstill plan`. What is not known is None: a
forecast without prices has no dollars, and one of 0 requests really costs nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one step would still have to pay for."""

    requests: int | None
    """Still to be bought."""
    have: int = 0
    """Completions for this step that the journal holds already."""
    tokens: int | None = None
    """Of prompts and completions still to be bought; `low` and `high` are the interval."""
    tokens_low: int | None = None
    tokens_high: int | None = None
    usd: float | None = None
    usd_low: float | None = None
    usd_high: float | None = None
    basis: str = ""
    """What the numbers come from: `240 completions in the journal`, `at most max_tokens each`."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `plan --json`."""
        return asdict(self)
