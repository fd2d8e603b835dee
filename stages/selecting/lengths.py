"""The rule `length`: least and most lengths of the parts of a sample, both ends included.

    length: {completion: {most: 16000}, answer: {least: 1}, unit: characters}

A part that is too long or too short leaves the sample out as `<part>_too_long` or
`<part>_too_short`, one whose length is unknown (no completion, or a token count that the teacher
did not give) as `<part>_length_unknown`. Nothing is cut to size. How lengths are measured is
`measures.py`'s business.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import polars as pl
from pydantic import Field, model_validator

from ...pipeline.stage import Config
from .measures import COUNTED, Part, Unit, length_of

Limit = Annotated[int, Field(ge=0)] | None


class Range(Config):
    """Least and most, both included."""

    least: Limit = None
    most: Limit = None

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if self.least is None and self.most is None:
            raise ValueError("a range of lengths must say least, most or both")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"least is {self.least} and most {self.most}: nothing is that long")
        return self


class Lengths(Config):
    """How long the parts of a sample may be."""

    prompt: Range | None = None
    """All turns of the prompt together."""
    completion: Range | None = None
    thought: Range | None = None
    answer: Range | None = None
    unit: Unit = "characters"
    """tokens: the teacher's own count, known of prompt and completion only."""
    unknown: Literal["leave_out", "keep"] = "leave_out"
    """What is done with a sample whose length is unknown."""

    @model_validator(mode="after")
    def _can_be_measured(self) -> Lengths:
        if not self.ranges:
            raise ValueError(f"length must name a part: {', '.join(get_args(Part))}")
        uncounted = [part for part in self.ranges if part not in COUNTED]
        if self.unit == "tokens" and uncounted:
            raise ValueError(
                f"a teacher counts the tokens of prompt and completion, not of "
                f"{' and '.join(uncounted)}: say unit: characters or words there"
            )
        return self

    @property
    def ranges(self) -> dict[Part, Range]:
        """The parts that have limits, in the order in which they are looked at."""
        found = {part: getattr(self, part) for part in get_args(Part)}
        return {part: limits for part, limits in found.items() if limits is not None}

    def measures(self) -> dict[str, pl.Expr]:
        """What is asked of each row."""
        return {_column(part): length_of(part, self.unit) for part in self.ranges}


def misfits(standing: pl.DataFrame, lengths: Lengths) -> pl.DataFrame:
    """row and reason of all; the reason is null where every length fits."""
    reasons: list[pl.Expr] = []
    for part, limits in lengths.ranges.items():
        length = pl.col(_column(part))
        if lengths.unknown == "leave_out":
            reasons.append(_when(length.is_null(), f"{part}_length_unknown"))
        if limits.least is not None:
            reasons.append(_when(length < limits.least, f"{part}_too_short"))
        if limits.most is not None:
            reasons.append(_when(length > limits.most, f"{part}_too_long"))
    return standing.select("row", reason=pl.coalesce(reasons))


def _when(holds: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(holds).then(pl.lit(reason, pl.Categorical))


def _column(part: Part) -> str:
    return f"length_{part}"
