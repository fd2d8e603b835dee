"""How much of each part: what the recipe says, and what that comes to.

    reasoning: 3                        # a weight: shares with the other weights what is left
    reasoning: {count: 600000}          # so much, in the unit of the mixture
    reasoning: {epochs: 2.5}            # all of it, so many times
    general: {weight: 1, most: 200000}  # by weight, but no more than this

Counts and epochs are fixed; weights share what `size` leaves. Without `size` they share as much as
the part that is scarcest for its weight allows. What `most` takes from one part goes to the other
weights. All amounts are whole numbers in the unit; the arithmetic is exact (fractions). Which
rows make an amount up is `lots.py`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from ...pipeline.errors import RequestError
from ...pipeline.stage import Config
from .shares import largest_share, share

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MOST_TIMES: Final = 1000
"""Most epochs and repeats: rows are held as numbers, and 1e9 epochs of ten rows are 200 GB."""


class Amount(Config):
    """How much of one part is wanted: exactly one of weight, count and epochs."""

    weight: Positive | None = None
    """Its share among the parts with a weight."""
    count: Annotated[int, Field(ge=1)] | None = None
    """So much of it, in the unit of the mixture."""
    epochs: Annotated[float, Field(gt=0, le=MOST_TIMES)] | None = None
    """The whole part so many times; 0.5 is half of it, by lot."""
    most: Annotated[int, Field(ge=1)] | None = None
    """A cap in the unit of the mixture; what it takes away goes to the other weights."""

    @model_validator(mode="after")
    def _one_way(self) -> Amount:
        if sum(way is not None for way in (self.weight, self.count, self.epochs)) != 1:
            raise ValueError("a part must say exactly one of weight, count and epochs")
        if self.count is not None and self.most is not None:
            raise ValueError("count and most both say how much; leave most out")
        return self


def _weight_alone(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"weight": value} if is_number else value


PartAmount = Annotated[
    Amount, BeforeValidator(_weight_alone, json_schema_input_type=float | Amount)
]
"""An `Amount`, or a number, which is a weight."""


@dataclass(frozen=True)
class Asked:
    """What is asked of all parts together."""

    parts: Mapping[str, Amount]
    unit: str
    size: int | None
    repeat: int

    def amounts(self, have: Mapping[str, int]) -> dict[str, int]:
        """How much of each part, in the unit.

        Args:
            have: what there is of each part, in the unit.

        Raises:
            RequestError: it cannot be met; says what can.
        """
        if empty := [name for name, amount in have.items() if not amount]:
            raise RequestError(f"nothing to mix: {', '.join(empty)} holds no samples to use")
        fixed = self._fixed(have)
        if len(fixed) == len(self.parts):
            self._refuse_other_size(fixed)
            return fixed
        left = self._left_to_weights(fixed, have)
        shared = share(left, self._weights(), self._caps())
        self._refuse_scarce(shared, fixed, have)
        return {name: fixed[name] if name in fixed else shared[name] for name in have}

    def _fixed(self, have: Mapping[str, int]) -> dict[str, int]:
        """The amounts that do not depend on one another."""
        fixed = {}
        for name, part in self.parts.items():
            if part.count is not None:
                self._refuse_more_than_there_is(name, part.count, have[name])
                fixed[name] = part.count
            elif part.epochs is not None:
                whole = math.floor(have[name] * Fraction(str(part.epochs)) + Fraction(1, 2))
                fixed[name] = min(whole, part.most or whole)
        return fixed

    def _weights(self) -> dict[str, Fraction]:
        return {
            name: Fraction(str(part.weight))
            for name, part in self.parts.items()
            if part.weight is not None
        }

    def _caps(self) -> dict[str, int]:
        return {name: part.most for name, part in self.parts.items() if part.most is not None}

    def _left_to_weights(self, fixed: Mapping[str, int], have: Mapping[str, int]) -> int:
        """What the weights share."""
        if self.size is None:
            return largest_share(have, self._weights(), self._caps(), self.repeat)
        used = sum(fixed.values())
        if used >= self.size:
            raise RequestError(
                f"size is {self.size:,} {self.unit}, and counts and epochs need {used:,} "
                f"({_listed(fixed)}), which leaves nothing to the parts with a weight. Ask for "
                f"size: {used + len(self._weights())} or more, or leave size out."
            )
        return self.size - used

    def _refuse_other_size(self, fixed: Mapping[str, int]) -> None:
        total = sum(fixed.values())
        if self.size is not None and self.size != total:
            raise RequestError(
                f"size is {self.size:,} {self.unit}, but the parts say how much of each, which "
                f"makes {total:,} ({_listed(fixed)}). Leave size out, or give a part a weight in "
                "place of its count or epochs."
            )

    def _refuse_scarce(
        self, shared: Mapping[str, int], fixed: Mapping[str, int], have: Mapping[str, int]
    ) -> None:
        total = sum(shared.values())
        wanted = (self.size or 0) - sum(fixed.values())
        if total < wanted:
            raise RequestError(
                f"size is {self.size:,} {self.unit}, but every part with a weight is capped by "
                f"most, so there are at most {total + sum(fixed.values()):,}. Ask for size: "
                f"{total + sum(fixed.values())} or less, or raise a most."
            )
        scarce = {name: need for name, need in shared.items() if need > have[name] * self.repeat}
        for name, need in scarce.items():
            best = largest_share(have, self._weights(), self._caps(), self.repeat, enough=True)
            self._refuse_more_than_there_is(
                name, need, have[name], f"Ask for size: {best + sum(fixed.values())} or less"
            )

    def _refuse_more_than_there_is(
        self, name: str, need: int, have: int, instead: str = ""
    ) -> None:
        if need <= have * self.repeat:
            return
        instead = instead or f"Ask for count: {have * self.repeat} or less"
        times = -(-need // have)  # whole numbers: amounts may be larger than a float is exact
        allowed = f", or allow repeat: {times}" if times <= MOST_TIMES else ""
        raise RequestError(
            f"the mixture needs {need:,} {self.unit} of {name!r}, which has {have:,} (each sample "
            f"used at most {_times(self.repeat)}). {instead}{allowed}."
        )


def _listed(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {amount:,}" for name, amount in amounts.items())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
