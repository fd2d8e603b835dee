"""Which of several equally good samples of one prompt are taken first.

The shortest, the first in the data, or by lot: drawn by a hash of seed and id, so the same ones
whatever stands beside them and however the rows are cut into shards.
"""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

import polars as pl
from pydantic import Field, model_validator

from ..pipeline.stage import Config

Choice: TypeAlias = Literal["shortest", "first", "random"]


class PerPrompt(Config):
    """How many samples of one problem go on, and which: exactly one of the three."""

    shortest: int | None = Field(None, ge=1)
    """By code points of the completion; equals in their order."""
    first: int | None = Field(None, ge=1)
    random: int | None = Field(None, ge=1)
    """By a hash of seed and id: the same ones whatever stands beside them."""
    seed: int = 0

    @model_validator(mode="after")
    def _one_way(self) -> PerPrompt:
        if sum(most is not None for most in (self.shortest, self.first, self.random)) != 1:
            raise ValueError("per_prompt must say one of shortest, first and random")
        if "seed" in self.model_fields_set and self.random is None:
            raise ValueError("seed belongs to per_prompt: {random: …}")
        return self

    @property
    def most(self) -> int:
        return self.shortest or self.first or self.random or 0

    @property
    def choose(self) -> Choice:
        return "shortest" if self.shortest else "random" if self.random else "first"


def in_order(index: pl.DataFrame, choose: Choice, seed: int) -> pl.DataFrame:
    """Rows in the order in which they are taken; equals in their order in the data.

    Args:
        index: columns row (place in the data), id and, for the shortest, length (code points of
            the completion, null where there is none).
    """
    if choose == "shortest":
        return index.sort("length", "row", nulls_last=True)
    if choose == "random":
        ranks = [_draw(seed, sample_id) for sample_id in index["id"]]
        return index.with_columns(pl.Series("rank", ranks, pl.Binary)).sort("rank", "row")
    return index.sort("row")


def thin_out(index: pl.DataFrame, per_prompt: PerPrompt) -> pl.DataFrame:
    """Give what is too many of one prompt the reason `per_prompt`."""
    kept = index.filter(pl.col("reason").is_null())
    kept = in_order(kept, per_prompt.choose, per_prompt.seed)
    place = pl.int_range(pl.len()).over("prompt_id")
    surplus = kept.filter(place >= per_prompt.most)["row"]
    is_surplus = pl.col("row").is_in(surplus.implode())
    reason = pl.when(is_surplus).then(pl.lit("per_prompt")).otherwise("reason")
    return index.with_columns(reason=reason)


def _draw(seed: int, sample_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{sample_id}".encode(), digest_size=8).digest()
