"""The rule `balance`: samples in given proportions of a value, by leaving out, never by repeating.

    balance: {by: language, weights: {en: 1, zh: 1}}
    balance: {by: difficulty, weights: {easy: 1, medium: 2, hard: 2}, most: 50000}
    balance: {by: extra.subject, weights: equal}

As many samples stay as the scarcest value allows for its weight, or `most` of them. Which ones is
drawn by seed and id. A value that nobody gave a weight (with `equal` only the unknown one) is
refused unless `others` says what becomes of it. Repeating rows is `mix`'s business.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, TypeAlias

import polars as pl
from pydantic import Field, field_validator, model_validator

from ...pipeline.errors import RequestError
from ...pipeline.stage import Config
from ..mixing.lots import ID, lot
from ..mixing.report import MOST_VALUES, UNKNOWN, buckets
from ..mixing.shares import apportion
from .either import EITHER, SETTINGS, WORD
from .measures import length_of
from .rates import BANDS

VALUE: Final = "value"
"""Column of the index: what a sample is balanced by; null is unknown."""
COLUMNS: Final = ("task", "language", "source", "difficulty", "length")
_MOST_NAMED: Final = 8
_NUMBER: Final = pl.col("id").alias(ID)

Weight = Annotated[float, Field(gt=0)]
Weights: TypeAlias = Annotated[
    Annotated[Literal["equal"], WORD] | Annotated[dict[str, Weight], Field(min_length=1), SETTINGS],
    EITHER,
]


class Balance(Config):
    """Proportions of the values of a column."""

    by: str
    """task, language, source, difficulty (easy, medium, hard by pass_rate), length (characters of
    the completion from one power of two to the next, as 1024-2047), or extra.NAME: a column that
    the data brought."""
    weights: Weights = "equal"
    """Weight by value; samples whose value is not known have the value unknown."""
    most: int | None = Field(None, ge=1)
    """Most samples of the values with a weight, all together."""
    others: Literal["refuse", "keep", "leave_out"] = "refuse"
    """What becomes of samples whose value has no weight; those kept come beside the others."""
    seed: int = 0

    @field_validator("by")
    @classmethod
    def _is_known(cls, by: str) -> str:
        if by not in COLUMNS and not re.fullmatch(r"extra\..+", by):
            raise ValueError(f"expected one of {', '.join(COLUMNS)} or extra.NAME")
        return by

    @model_validator(mode="after")
    def _bands_are_known(self) -> Balance:
        named = self.weights.keys() if isinstance(self.weights, dict) else set()
        if self.by == "difficulty" and (strange := sorted(named - {*BANDS, UNKNOWN})):
            raise ValueError(
                f"balance.weights names {', '.join(strange)}; difficulty is one of "
                f"{', '.join(BANDS)} and {UNKNOWN}"
            )
        return self

    def measures(self) -> dict[str, pl.Expr]:
        """What is asked of each row; difficulty is a matter of the scores."""
        if self.by == "difficulty":
            return {}
        if self.by == "length":
            lengths = length_of("completion", "characters")
            value = lengths.map_batches(
                lambda each: buckets(each.alias("length")), return_dtype=pl.String
            )
        elif self.by.startswith("extra."):
            name = self.by.removeprefix("extra.").replace("\\", "\\\\").replace("'", "\\'")
            value = pl.col("extra").str.json_path_match(f"$['{name}']")
        else:
            value = pl.col(self.by)
        return {VALUE: pl.when(value != "").then(value).cast(pl.Categorical)}


def unbalanced(standing: pl.DataFrame, balance: Balance) -> tuple[pl.DataFrame, dict[str, Any]]:
    """row and reason of what is too much, and what became of each value.

    Raises:
        RequestError: a value has no weight, or a weight is of a value that no sample has.
    """
    column = "difficulty" if balance.by == "difficulty" else VALUE
    rows = standing.select("row", _NUMBER, value=pl.col(column).cast(pl.String).fill_null(UNKNOWN))
    counts = rows["value"].value_counts(name="n").sort("n", "value", descending=[True, False])
    have: dict[str, int] = dict(counts.iter_rows())
    weights = _weights(balance, have)
    share = _shares(have, weights, balance.most)
    kept = share if balance.others != "keep" else {**have, **share}
    drawn = rows.with_columns(lot=lot(balance.seed, "balance", pl.lit(0))).sort("lot", "row")
    place = pl.int_range(pl.len()).over("value")
    limit = pl.col("value").replace_strict(list(kept), list(kept.values()), default=0)
    unnamed = ~pl.col("value").is_in(list(weights))
    reason = pl.when(unnamed).then(pl.lit("balance_others")).otherwise(pl.lit("balance"))
    goes = drawn.filter(place >= limit).select("row", reason=reason.cast(pl.Categorical))
    return goes, {"by": balance.by, "values": _became(have, kept)}


def _shares(
    have: Mapping[str, int], weights: Mapping[str, Fraction], most: int | None
) -> dict[str, int]:
    """How many samples of each value stay; none more than there are."""
    scale = min(have[value] / weight for value, weight in weights.items())
    shares = {value: round(weight * scale) for value, weight in weights.items()}
    if most is None or sum(shares.values()) <= most:
        return shares
    return apportion(min(most, math.floor(scale * sum(weights.values()))), weights)


def _weights(balance: Balance, have: Mapping[str, int]) -> dict[str, Fraction]:
    if balance.weights == "equal":
        weights = {value: Fraction(1) for value in have if value != UNKNOWN}
    else:
        weights = {value: Fraction(str(weight)) for value, weight in balance.weights.items()}
    if absent := sorted(weights.keys() - have.keys()):
        raise RequestError(
            f"balance gives a weight to {', '.join(absent)}, but no sample that is left has this "
            f"{balance.by}, so no other could stay; here are {_told(have)}"
        )
    unnamed = {value: n for value, n in have.items() if value not in weights}
    if not weights:
        raise RequestError(
            f"balance by {balance.by}: no sample that is left has a known one, so there is nothing "
            "to balance"
        )
    if unnamed and balance.others == "refuse":
        raise RequestError(
            f"balance by {balance.by}: {_told(unnamed)} have no weight. Name them in weights, or "
            "say others: keep or others: leave_out"
        )
    return weights


def _became(have: Mapping[str, int], kept: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """How many samples of each value there were and stay; of the rarest together."""
    told = {
        value: {"in": n, "rows": kept.get(value, 0)} for value, n in [*have.items()][:MOST_VALUES]
    }
    if rest := [*have][MOST_VALUES:]:
        sums = (sum(counts.get(value, 0) for value in rest) for counts in (have, kept))
        told[f"{len(rest)} others"] = dict(zip(("in", "rows"), sums, strict=True))
    return told


def _told(counts: Mapping[str, int]) -> str:
    """`'en' 70, 'zh' 30`; values are of the data, so they are quoted and may be long."""
    shown = [f"{value!r:.40} {n}" for value, n in list(counts.items())[:_MOST_NAMED]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])]) or "no samples"
