"""The `mix` step: several datasets in given amounts, shuffled.

    mix: {parts: {reasoning: 3, general: 1}, seed: 7}
    mix: {parts: {reasoning: {count: 600000}, general: {count: 200000}}}
    mix: {parts: {math: 1, code: 1}, unit: loss_tokens, student: ./student, size: 50000000}

An amount is a weight, a count in the unit, or a number of epochs (mixing/amounts.py). Without
`size` a mixture of weights is as large as it can be while nothing is used more than `repeat`
times; what there is too much of is left out as `ratio`. Each copy has a number in the column
`copy`, and (id, copy) is the key. Which rows are taken and how they are shuffled depends on ids
and seed alone, not on the order of rows, parts, shards or workers. Texts are not held in memory
(mixing/reorder.py). Tokens are those that training on the named student would see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field, JsonValue, model_validator

from ..models.token_counts import Loss, TokenCounter
from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import Model, Samples
from ..pipeline.stage import Context, Metrics, Stage
from .mixing.amounts import MOST_TIMES, Asked, PartAmount
from .mixing.candidates import SIZE, Part, read_parts
from .mixing.counting import count_parts
from .mixing.lots import drawn, shuffled
from .mixing.writing import MIXTURE_SCHEMA, write_left_out, write_mixture

__all__ = ["MIXTURE_SCHEMA", "Mix"]

UNUSED = "ratio"
"""Reason of a row that was not drawn."""


class Mix(Stage):
    """Mixes datasets by samples, tokens or loss tokens."""

    kind: ClassVar[str] = "mix"
    version: ClassVar[int] = 2

    parts: dict[Samples, PartAmount] = Field(min_length=1)
    """Amount by step: a weight, or {weight | count | epochs, most}."""
    unit: Literal["samples", "tokens", "loss_tokens"] = "samples"
    """What weights, counts, most and size count; tokens are those of `student`."""
    size: int | None = Field(None, ge=1)
    """Size of the mixture in the unit."""
    seed: int = 0
    repeat: int = Field(1, ge=1, le=MOST_TIMES)
    """How often one sample may be used for a weight or a count; epochs say it themselves."""
    student: Model | None = None
    """Whose tokens are counted; with unit samples only for the report."""
    template_kwargs: dict[str, JsonValue] = {}
    """Passed to the student's chat template, as chat_template_kwargs in training."""
    loss: Loss = "completion"
    """assistant: count loss also on the assistant's earlier turns in a prompt."""
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Rows of more tokens are not used, as training with over_length: drop would not."""

    @model_validator(mode="after")
    def _tokens_are_of_a_student(self) -> Mix:
        if self.student is None:
            if self.unit != "samples":
                raise ValueError(f"unit: {self.unit} needs a student: whose tokens are meant")
            theirs = {"template_kwargs", "loss", "max_length"} & self.model_fields_set
            if theirs:
                raise ValueError(f"{', '.join(sorted(theirs))} says how a student counts: name one")
        return self

    def run(self, context: Context) -> Metrics:
        """Write the mixture, `left_out/` and, of a student, `tokens/` and `counts/`.

        Raises:
            RequestError: a part is empty, or too small for what is asked.
            StepFailed: the disk is too full, or tokens could not be counted.
        """
        artifacts = {name: context.samples(name) for name in sorted(self.parts)}
        for name, artifact in artifacts.items():
            refuse_pairs(artifact, f"parts.{name}")
        counts = self._counts(artifacts, context)
        parts = read_parts(artifacts, counts, self.unit, self.max_length)
        asked = Asked(self.parts, self.unit, self.size, self.repeat)
        amounts = asked.amounts({part.name: part.have for part in parts})
        takings, left = self._draw(parts, amounts)
        self._note_absent(takings, context)
        files = [shard for part in parts for shard in part.shards]
        order = shuffled(pl.concat(takings.values()), self.seed)
        report = write_mixture(files, order, context)
        write_left_out(files, left, context)
        return {
            "in": sum(len(part.rows) for part in parts),
            "rows": len(order),
            "copies": sum(_copies(taken) for taken in takings.values()),
            "left_out": _by_reason(left),
            "unit": self.unit,
            "parts": self._told(parts, amounts, takings),
            "total": report.total(),
            "report": report.facts(),
            **self._of_student(parts),
        }

    def _counts(self, artifacts: Mapping[str, Artifact], context: Context) -> dict[str, list[Path]]:
        if self.student is None:
            return {}
        folder, digest = context.path(self.student), context.digest(self.student)
        counter = TokenCounter(folder, self.template_kwargs, self.loss)
        return count_parts(artifacts, counter, digest, context)

    def _draw(
        self, parts: Sequence[Part], amounts: Mapping[str, int]
    ) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """The rows taken of each part, and those of all parts that are left out."""
        takings, left = {}, []
        for part in parts:
            taken, unused = drawn(part.usable, SIZE, amounts[part.name], self.seed)
            takings[part.name] = taken
            left.append(pl.DataFrame({"row": unused}).with_columns(reason=pl.lit(UNUSED)))
            left.append(part.unusable)
        return takings, pl.concat(left)

    def _note_absent(self, takings: Mapping[str, pl.DataFrame], context: Context) -> None:
        none = [name for name, taken in takings.items() if taken.is_empty()]
        if len(none) == len(takings):
            raise RequestError(
                f"the mixture would hold no row: less than half of one sample is asked of each "
                f"part, in {self.unit}. Ask for more with size, count or epochs."
            )
        if none:
            context.progress.note(f"the mixture is so small that it has no row of {none}")

    def _told(
        self,
        parts: Sequence[Part],
        amounts: Mapping[str, int],
        takings: Mapping[str, pl.DataFrame],
    ) -> dict[str, Any]:
        """What became of each part; asked and reached are in the unit."""
        reached = {name: int(taken[SIZE].sum()) for name, taken in takings.items()}
        told = {}
        for part in parts:
            taken = takings[part.name]
            copies = _copies(taken)
            told[part.name] = {
                "in": len(part.rows),
                "rows": len(taken),
                "copies": copies,
                "left_out": len(part.rows) - len(taken) + copies,
                "tokens": self._sum(taken, "tokens"),
                "loss_tokens": self._sum(taken, "loss_tokens"),
                "weight": self.parts[part.name].weight,
                "epochs": reached[part.name] / part.have,
                "asked": amounts[part.name],
                "reached": reached[part.name],
                "share_asked": amounts[part.name] / sum(amounts.values()),
                "share": reached[part.name] / sum(reached.values()),
            }
        return told

    def _sum(self, taken: pl.DataFrame, column: str) -> int | None:
        return None if self.student is None else int(taken[column].sum())

    def _of_student(self, parts: Sequence[Part]) -> dict[str, Any]:
        """Rows that training would leave out, by part and reason, used or not."""
        if self.student is None:
            return {"length_in": "characters"}
        refused = {part.name: part.refused for part in parts if part.refused}
        return {"length_in": "tokens", "not_trainable": refused}


def _copies(taken: pl.DataFrame) -> int:
    """How many rows are there again."""
    return len(taken) - taken["row"].n_unique()


def _by_reason(left: pl.DataFrame) -> dict[str, int]:
    counts = left.group_by("reason").len().sort("reason")
    return dict(counts.iter_rows())
