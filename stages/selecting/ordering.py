"""The order in which samples go on: that of the data, or a curriculum.

    order: easiest
    order: {by: random, seed: 7}

shortest and longest are by characters of the completion, easiest and hardest by `pass_rate`; where
that is unknown a sample comes last, and equals come in the order of the data. Random is drawn by
seed and id. Trainers that shuffle undo it (`sft` does unless told otherwise). Which samples go on
is not decided here.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import polars as pl
from pydantic import model_validator

from ...pipeline.stage import Config
from ..mixing.lots import ID, lot
from .either import EITHER, SETTINGS, WORD
from .measures import length_of

OrderName: TypeAlias = Literal["data", "shortest", "longest", "easiest", "hardest", "random"]

_LENGTH: Final = "order_length"
_COLUMNS: Final = {
    "shortest": (_LENGTH, False),
    "longest": (_LENGTH, True),
    "easiest": ("rate", True),
    "hardest": ("rate", False),
}


class Order(Config):
    """An order with its seed."""

    by: OrderName
    seed: int = 0

    @model_validator(mode="after")
    def _seed_of_random(self) -> Order:
        if "seed" in self.model_fields_set and self.by != "random":
            raise ValueError("seed belongs to order: {by: random, seed: …}")
        return self

    @property
    def needs_rates(self) -> bool:
        return self.by in ("easiest", "hardest")

    def measures(self) -> dict[str, pl.Expr]:
        """What is asked of each row."""
        if self.by in ("shortest", "longest"):
            return {_LENGTH: length_of("completion", "characters")}
        return {}


Ordered: TypeAlias = Annotated[Annotated[OrderName, WORD] | Annotated[Order, SETTINGS], EITHER]


def rows_in_order(standing: pl.DataFrame, order: Order) -> pl.Series:
    """The rows of the samples that stand, in the order in which they go on."""
    if order.by == "data":
        return standing["row"]
    if order.by == "random":
        number = standing.select("row", pl.col("id").alias(ID))
        drawn = number.with_columns(lot=lot(order.seed, "order", pl.lit(0)))
        return drawn.sort("lot", "row")["row"]
    column, down = _COLUMNS[order.by]
    return standing.sort(column, "row", descending=[down, False], nulls_last=True)["row"]
