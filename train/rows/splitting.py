"""A row that is too long, as several rows that together train each of its tokens exactly once.

    piece 1   prompt  completion ------------->
    piece 2   prompt            ~~~~ completion ------------->
    piece 3   prompt                              ~~~~ completion -> end of turn

`~~~~` is context: tokens that an earlier piece trained, without loss here. Without it a piece would
teach to answer the prompt with the middle of a thought. What stays untrue is the distance: a later
piece does not see all that was thought before it, so long-range reasoning is learnt less well than
from whole rows. Only the last piece ends the turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...models.chat import IGNORED

CONTEXT: Final = 4
"""One part in so many of a later piece's completion is context."""
ROOM: Final = 4
"""A piece has room for a completion of at least one part in so many of its length, since all the
rest of it is the prompt again."""


class NoRoom(Exception):
    """The prompt leaves too little room for the completion."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What a trainer trains on: token ids, and as many labels, `IGNORED` where there is no loss."""

    input_ids: list[int]
    labels: list[int]

    @property
    def loss_tokens(self) -> int:
        """Number of trained tokens."""
        return len(self.labels) - self.labels.count(IGNORED)


def split_row(row: TokenRow, completion_start: int, max_length: int) -> list[TokenRow]:
    """Pieces of at most `max_length` tokens.

    Args:
        completion_start: number of tokens of the prompt, which begins each piece.

    Raises:
        NoRoom: less than a quarter of `max_length` is left beside the prompt.
    """
    room = max_length - completion_start
    if room < max(2, max_length // ROOM):
        raise NoRoom
    context = max(1, room // CONTEXT)
    prompt = row.input_ids[:completion_start]
    masked = [IGNORED] * (completion_start + context)
    pieces = [TokenRow(row.input_ids[:max_length], row.labels[:max_length])]
    for start in range(max_length, len(row.input_ids), room - context):
        end = start + room - context
        tokens = [*prompt, *row.input_ids[start - context : end]]
        pieces.append(TokenRow(tokens, [*masked, *row.labels[start:end]]))
    return pieces
