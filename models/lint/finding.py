"""What a check says: which check, how bad, about which row, and the tokens that prove it.

A `Fault` is said in passing for every row; its proof is a function, because only the first few
faults of a check are shown and cutting out tokens costs more than finding the fault. A `Finding`
is a fault with its proof made. Neither is drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..token_text import Piece, pieces_of

Severity = Literal["error", "warning", "note"]
"""error: training stops. warning: another trainer, or a server, would go wrong with this template,
or the row teaches something unintended. note: a fact to know."""

BEFORE, AFTER = 6, 10
"""Tokens of an excerpt before and after its place."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Tokens around a place."""

    of: str
    """Whose tokens: `trained`, `rendered by the template`, `served` …"""
    start: int
    """Position of the first token shown."""
    at: int
    """Position of the place."""
    pieces: tuple[Piece, ...]

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        tokens = [
            {"position": position, **piece.facts()}
            for position, piece in enumerate(self.pieces, self.start)
        ]
        return {"of": self.of, "at": self.at, "tokens": tokens}


def excerpt(tokenizer: Any, of: str, token_ids: Sequence[int], at: int) -> Excerpt:
    """The tokens around position `at`."""
    start = max(0, at - BEFORE)
    return Excerpt(of, start, at, tuple(pieces_of(tokenizer, token_ids[start : at + AFTER])))


def no_proof() -> tuple[Excerpt, ...]:
    """For what has no tokens: a row that could not be rendered, a token that is not there."""
    return ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a check found; the row is known to whoever asked."""

    check: str
    severity: Severity
    message: str
    prove: Callable[[], tuple[Excerpt, ...]] = field(default=no_proof, compare=False)
    length: int | None = None
    """Tokens of the row, where its length is what is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of one row, or of the model where `row` is None."""

    row: str | None
    message: str
    excerpts: tuple[Excerpt, ...]

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        proof = [excerpt.facts() for excerpt in self.excerpts]
        return {"row": self.row, "message": self.message, "excerpts": proof}
