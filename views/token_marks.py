"""How one token is written: white space made visible, control tokens in brackets, nothing acting.

Shared by `tokens`, its page and `lint`. A control token stands in ⟦ ⟧, so that `⟦<|im_end|>⟧` is
told from a text that only looks like it; half a character is its bytes, ⟨E59B⟩.
"""

from __future__ import annotations

from ..models.token_rows import TokenRow
from ..models.token_text import Piece
from .terminal import sanitise

BETWEEN = "│"
"""Between two tokens."""
PARTS = {
    "prompt": "seen, not trained",
    "loss": "trained",
    "end": "the end of turn, trained",
}
"""What a token is to the student."""

_SPACES = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


def token_text(piece: Piece) -> str:
    """The token as it can be shown anywhere."""
    shown = sanitise(piece.text).translate(_SPACES) + sanitise(piece.ended)
    return f"⟦{shown}⟧" if piece.special else shown


def ends_line(piece: Piece) -> bool:
    """Whether a line of the row's text ends with this token."""
    return piece.text.endswith("\n")


def part_of(row: TokenRow, position: int) -> str:
    """Which of `PARTS` the token is."""
    if not row.trained(position):
        return "prompt"
    return "end" if position == row.ends_turn else "loss"
