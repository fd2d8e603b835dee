"""The columns that other tools read, made of shards of samples: no Python runs over rows.

    messages           messages: [{role, content}, …]                       chat trainers
    prompt_completion  prompt, completion: [{role, content}, …]             trl masks the prompt
    sharegpt           conversations: [{from: human|gpt|system, value}, …]  LLaMA-Factory, axolotl
    samples            everything potstill knows
    (pairs)            prompt, chosen, rejected: [{role, content}, …]       trl's dpo

Preference pairs take the last form where messages or prompt_completion is asked. Text is written
as it is: no template is rendered, system prompts stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import polars as pl
import pyarrow as pa

from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.pairs import CHOSEN, REJECTED
from ...pipeline.sample import SAMPLE_SCHEMA
from .thoughts import answer, is_open, thought

Columns = Literal["messages", "prompt_completion", "sharegpt", "samples"]
Thinking = Literal["keep", "drop", "column"]
Also = Literal["extra", "teacher", "revision"]

MESSAGES: Final = SAMPLE_SCHEMA.field("prompt").type
_TURNS: Final = pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())]))
_SPEAKERS: Final = {"user": "human", "assistant": "gpt"}
_BESIDE: Final = ("id", "prompt_id", "answer", "task", "language", "source")
_CONVERSATIONS: Final[Mapping[str, tuple[tuple[str, pa.DataType], ...]]] = {
    "messages": (("messages", MESSAGES),),
    "prompt_completion": (("prompt", MESSAGES), ("completion", MESSAGES)),
    "sharegpt": (("conversations", _TURNS),),
}
_PAIR: Final = (("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES))
_OF_ONE_SIDE: Final = ("chosen", "rejected", "rejected_id")
_GENERATED: Final = ("teacher", "revision")


@dataclass(frozen=True)
class Form:
    """What the rows of an export look like.

    Args:
        source: schema of the samples, with `copy` of a mixture or `pair` and `side` of pairs.
    """

    columns: Columns
    thinking: Thinking
    also: tuple[Also, ...]
    source: pa.Schema

    @property
    def of_pairs(self) -> bool:
        """Whether two rows of the source become one."""
        return "pair" in self.source.names and self.columns != "samples"

    @cached_property
    def schema(self) -> pa.Schema:
        """Of the export; declared, so that no reader has to guess types from values."""
        if self.columns == "samples":
            return self.source.remove_metadata()
        fields = list(_PAIR if self.of_pairs else _CONVERSATIONS[self.columns])
        text = ["thinking"] if self.thinking == "column" else []
        text += ["id", "rejected_id", *_BESIDE[1:]] if self.of_pairs else _BESIDE
        fields += [(name, pa.string()) for name in text]
        fields += [("copy", pa.int64())] if "copy" in self.source.names else []
        return pa.schema([*fields, *((name, pa.string()) for name in self.also)])

    def rows(self, shard: pa.Table) -> pa.Table:
        """The rows of a shard in this form.

        Raises:
            RequestError: a row has no completion where one is needed, or a thought that never ends
                where it is to be parted from the answer.
        """
        for name in set(self.source.names) - set(shard.column_names):
            field = self.source.field(name)  # `copy`, where other splits are of a mixture
            shard = shard.append_column(field, pa.nulls(shard.num_rows, field.type))
        if self.columns == "samples":
            return shard.select(self.schema.names).cast(self.schema)
        rows = pl.DataFrame(shard)
        if self.thinking != "keep":
            _refuse(rows, is_open(pl.col("completion")), _OPEN)
        if self.of_pairs or self.columns == "prompt_completion":
            _refuse(rows, pl.col("completion").is_null(), _NO_COMPLETION)
        made = self._pairs(rows) if self.of_pairs else self._select(rows, self.schema.names)
        table: pa.Table = made.select(self.schema.names).to_arrow().cast(self.schema)
        return table.combine_chunks()

    def _select(self, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        told = pl.col("completion")
        text = told if self.thinking == "keep" else answer(told)
        reply = pl.concat_list(pl.struct(role=pl.lit("assistant"), content=text))
        none = pl.lit([], dtype=rows.schema["prompt"])
        messages = pl.concat_list("prompt", pl.when(told.is_null()).then(none).otherwise(reply))
        made = {
            "messages": messages,
            "conversations": messages.list.eval(_turn()),
            "completion": reply,
            "thinking": thought(told),
            **{name: pl.col("generation").struct.field(name) for name in _GENERATED},
        }
        return rows.select(**{name: made.get(name, pl.col(name)) for name in names})

    def _pairs(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row for a pair: the better sample's columns, and both completions."""
        of_both = [name for name in self.schema.names if name not in _OF_ONE_SIDE]
        better, worse = (rows.filter(pl.col("side") == side) for side in (CHOSEN, REJECTED))
        if not better["pair"].equals(worse["pair"]):
            raise StepFailed("a shard of preference pairs holds half a pair; build its step again")
        worse = self._select(worse, ["completion", "id"])
        return self._select(better, [*of_both, "completion"]).select(
            pl.exclude("completion"),
            pl.col("completion").alias(CHOSEN),
            worse["completion"].alias(REJECTED),
            worse["id"].alias("rejected_id"),
        )


def _turn() -> pl.Expr:
    turn = pl.element().struct
    speaker = turn.field("role").replace(_SPEAKERS)
    return pl.struct(speaker.alias("from"), turn.field("content").alias("value"))


_OPEN: Final = (
    "never closes its thought, so it has no answer to part from it. Leave such samples out with a "
    "select step (keep: {format: 1}), or export with thinking: keep"
)
_NO_COMPLETION: Final = (
    "has no completion; columns: prompt_completion needs one of every sample. Use columns: "
    "messages, or export samples that have one"
)


def _refuse(rows: pl.DataFrame, holds: pl.Expr, why: str) -> None:
    found = rows.filter(holds)["id"]
    if len(found):
        raise RequestError(f"sample {found[0]} {why}")
