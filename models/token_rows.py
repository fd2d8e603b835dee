"""Rows as tokens with their loss: what `potstill tokens` shows.

The tokens and labels are those of training (`render_example`). A row that would not be trained is
told with its reason. How a token is drawn is the views' business.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.sample import Sample
from .chat import IGNORED, NotRenderable, render_example
from .token_text import Piece, pieces_of


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One row token by token; without tokens where it cannot be rendered."""

    id: str
    pieces: tuple[Piece, ...] = ()
    labels: tuple[int, ...] = ()
    refused: str | None = None
    """Why there are no tokens."""

    @property
    def loss_tokens(self) -> int:
        return sum(label != IGNORED for label in self.labels)

    @property
    def ends_turn(self) -> int:
        """Position of the end of turn, the last token."""
        return len(self.pieces) - 1

    def trained(self, position: int) -> bool:
        """Whether the token is under the loss."""
        return self.labels[position] != IGNORED

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        tokens = [
            {**piece.facts(), "loss": self.trained(position)}
            for position, piece in enumerate(self.pieces)
        ]
        return {
            "id": self.id,
            "tokens": len(self.pieces),
            "loss_tokens": self.loss_tokens,
            "refused": self.refused,
            "pieces": tokens,
        }


def token_rows(
    tokenizer: Any,
    rows: Iterable[Any],
    template_kwargs: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
    id: str | None = None,
) -> Iterator[TokenRow]:
    """The first rows, or those whose id or prompt_id begins with `id`.

    Args:
        rows: samples; what could not be read as one (`reason`, `number`) is told in its place.

    Raises:
        RequestError: no row has such an id.
    """
    chosen = rows if id is None else _with_id(rows, id)
    for row in itertools.islice(chosen, limit):
        if isinstance(row, Sample):
            yield token_row(tokenizer, row, template_kwargs)
        else:
            yield TokenRow(f"row {row.number}", refused=row.reason)


def token_row(
    tokenizer: Any, sample: Sample, template_kwargs: Mapping[str, Any] | None = None
) -> TokenRow:
    """One sample as it would be trained."""
    try:
        example = render_example(tokenizer, sample.prompt, sample.completion, template_kwargs)
    except NotRenderable as refusal:
        return TokenRow(sample.id, refused=str(refusal))
    pieces = tuple(pieces_of(tokenizer, example.token_ids))
    return TokenRow(sample.id, pieces, tuple(example.labels))


def _with_id(rows: Iterable[Any], prefix: str) -> Iterator[Sample]:
    found = False
    for row in rows:
        if isinstance(row, Sample) and (
            row.id.startswith(prefix) or row.prompt_id.startswith(prefix)
        ):
            found = True
            yield row
    if not found:
        raise RequestError(f"--id {prefix}: no id or prompt_id of these rows begins with it")
