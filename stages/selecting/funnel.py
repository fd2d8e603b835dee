"""The samples that still stand, and those that each rule left out.

    in → keep → length → pass_rate → one_per → per_prompt → balance → out

A rule looks at what stands and names the rows that go, with one reason each; what it names stands
no longer, so every sample has one fate and counts close. Why a row goes is the rules' business.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from ...pipeline.errors import StepFailed

LEFT = {"row": pl.UInt32, "reason": pl.Categorical, "of": pl.UInt32}
"""Rows of what a rule leaves out; `of`: the row that is kept in its place, for duplicates."""


class Funnel:
    """Samples on their way through the rules.

    Args:
        index: all samples, in the order of the data.
    """

    def __init__(self, index: pl.DataFrame) -> None:
        self.standing = index
        """The samples that no rule has left out so far, in the order of the data."""
        self._left: list[pl.DataFrame] = [pl.DataFrame(schema=LEFT)]
        self._told: list[tuple[str, dict[str, int]]] = []
        self._tell("in")

    def leave_out(self, rule: str, left: pl.DataFrame) -> None:
        """Take out what a rule names.

        Args:
            left: columns row, reason (null or no such row: it stays) and perhaps of.
        """
        columns = {name: pl.col(name) if name in left.columns else None for name in LEFT}
        goes = left.filter(pl.col("reason").is_not_null()).select(**columns).cast(LEFT)  # type: ignore[arg-type]
        self._left.append(goes)
        if len(goes):
            self.standing = self.standing.join(goes, on="row", how="anti", maintain_order="left")
        self._tell(rule)

    @property
    def left(self) -> pl.DataFrame:
        """All that was left out, in the order of the data; columns as in `LEFT`."""
        return pl.concat(self._left).sort("row")

    def account(self) -> dict[str, Any]:
        """The counts: in = rows that go on + left out by reason; and what stood after each rule."""
        first, last = self._told[0][1], self._told[-1][1]
        return {
            "in": first["rows"],
            "rows": last["rows"],
            "left_out": dict(sorted(_counts(self.left))),
            "prompts_in": first["prompts"],
            "prompts": last["prompts"],
            "funnel": {f"{n} {rule}": stood for n, (rule, stood) in enumerate(self._told)},
        }

    def refuse_nothing(self, step: str, why: str) -> None:
        """Stop where no sample stands.

        Args:
            step: whose samples these are.
            why: a sentence about thresholds that nothing meets, or nothing.

        Raises:
            StepFailed: tells the most frequent reasons.
        """
        if len(self.standing):
            return
        ranking = sorted(_counts(self.left), key=lambda counted: (-counted[1], counted[0]))
        counts = ", ".join(f"{reason} {count}" for reason, count in ranking[:5])
        raise StepFailed(
            f"none of the {len(self.left):,} samples of step {step!r} is kept: "
            f"{counts or 'there are none'}. {why and why + '. '}"
            "Look at them, or change the thresholds"
        )

    def _tell(self, rule: str) -> None:
        prompts = self.standing["prompt"].n_unique()
        self._told.append((rule, {"rows": len(self.standing), "prompts": prompts}))


def _counts(left: pl.DataFrame) -> list[tuple[str, int]]:
    """Each reason and how many rows were left out for it."""
    return left["reason"].cast(pl.String).value_counts(name="n").rows()
