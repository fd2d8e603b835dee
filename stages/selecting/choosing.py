"""The rule `per_prompt`: how many samples of one problem go on, and which are taken first.

    per_prompt: {shortest: 2}
    per_prompt: {longest: 1, of: thought}
    per_prompt: {diverse: 4}

The shortest or the longest, the first in the data, by lot (drawn by seed and id, so the same ones
whatever stands beside them and however the rows are cut into shards), or those that differ most
(diversity.py). A sample of unknown length comes last, and equals come in the order of the data.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import polars as pl
from pydantic import Field, model_validator

from ...pipeline.stage import Config
from ..mixing.lots import ID, lot
from .measures import length_of

Choice: TypeAlias = Literal["shortest", "longest", "first", "random", "diverse"]
Order: TypeAlias = Literal["shortest", "longest", "first", "random"]
Read: TypeAlias = Literal["completion", "thought", "answer"]

LENGTH: Final = "length"
"""Column of the index by which `in_order` takes the shortest or the longest."""
_OF_LENGTH: Final = ("shortest", "longest")


class PerPrompt(Config):
    """How many samples of one problem go on, and which: exactly one of the five."""

    shortest: int | None = Field(None, ge=1)
    longest: int | None = Field(None, ge=1)
    first: int | None = Field(None, ge=1)
    random: int | None = Field(None, ge=1)
    """By lot, drawn by seed and id: the same ones whatever stands beside them."""
    diverse: int | None = Field(None, ge=1)
    """The first, then again and again the one that is least like those taken already."""
    seed: int = 0
    of: Read = "completion"
    """What is measured (shortest, longest) or compared (diverse)."""
    unit: Literal["characters", "tokens"] = "characters"
    """Of shortest and longest; tokens: of the completion, as the teacher counted them."""

    @model_validator(mode="after")
    def _one_way(self) -> PerPrompt:
        said = [name for name in get_args(Choice) if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(f"per_prompt must say one of {', '.join(get_args(Choice))}")
        for field, ways in {
            "seed": ("random",),
            "of": (*_OF_LENGTH, "diverse"),
            "unit": _OF_LENGTH,
        }.items():
            if field in self.model_fields_set and said[0] not in ways:
                raise ValueError(f"{field} belongs to per_prompt: {{{' or '.join(ways)}: …}}")
        if self.unit == "tokens" and self.of != "completion":
            raise ValueError(
                f"a teacher counts the tokens of a completion, not of its {self.of}: say "
                "unit: characters or of: completion"
            )
        return self

    @property
    def choose(self) -> Choice:
        return next(name for name in get_args(Choice) if getattr(self, name) is not None)

    @property
    def most(self) -> int:
        return int(getattr(self, self.choose))

    @property
    def order(self) -> Order:
        """The order in which samples are taken where no distance decides."""
        return "first" if self.choose == "diverse" else self.choose

    def measures(self) -> dict[str, pl.Expr]:
        """What is asked of each row."""
        return {LENGTH: length_of(self.of, self.unit)} if self.choose in _OF_LENGTH else {}


def in_order(index: pl.DataFrame, choose: Order, seed: int) -> pl.DataFrame:
    """Rows in the order in which they are taken; equals in their order in the data.

    Args:
        index: columns row, id and, for the shortest and the longest, `LENGTH` (null: unknown).
    """
    if choose in _OF_LENGTH:
        down = choose == "longest"
        return index.sort(LENGTH, "row", descending=[down, False], nulls_last=True)
    if choose == "random":
        drawn = index.select(pl.col("id").alias(ID)).select(lot(seed, "per_prompt", pl.lit(0)))
        return index.with_columns(drawn.to_series().alias("lot")).sort("lot", "row").drop("lot")
    return index.sort("row")


def surplus(ordered: pl.DataFrame, most: int) -> pl.DataFrame:
    """row and reason of what is too many of one problem.

    Args:
        ordered: the standing samples in the order in which they are taken.
    """
    place = pl.int_range(pl.len()).over("prompt")
    reason = pl.lit("per_prompt", pl.Categorical)
    return ordered.filter(place >= most).select("row", reason=reason)
