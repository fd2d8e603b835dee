"""From preference pairs to token rows: both sides as `models/chat.py` renders them, on one prompt.

    prompt_ids    tokens of the generation prompt: what the student is served
    chosen_ids    tokens of the better completion and its end of turn, once
    rejected_ids  the same of the worse one; without an end of turn where the token limit cut it,
                  since its author never wrote one

A pair goes in whole or not at all. Rows in = 2 · pairs + rows left out, by the pair's reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ..models.chat import NotRenderable, encode, end_of_turn, render_example
from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.pairs import CHOSEN, REJECTED
from ..pipeline.progress import Progress
from ..pipeline.sample import Sample
from ..pipeline.shards import read_table, shard_files, write_rows
from .rows.linting import RowLint
from .rows.rendering import LeftOut

_TOKENS: Final = pa.list_(pa.int32())
PAIR_ROWS_SCHEMA: Final = pa.schema(
    [("prompt_ids", _TOKENS), ("chosen_ids", _TOKENS), ("rejected_ids", _TOKENS)]
)
"""Columns as trl's preference collator reads them."""
LEFT_OUT_SCHEMA: Final = pa.schema(
    [("id", pa.string()), ("pair", pa.int64()), ("side", pa.string()), ("reason", pa.string())]
)
BATCH: Final = 1000


@dataclass
class PairRows:
    """Pairs as tokens, and the account of all rows."""

    table: pa.Table = field(default_factory=PAIR_ROWS_SCHEMA.empty_table)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    too_long: list[int] = field(default_factory=list)
    """Lengths in tokens of the longer sides that are longer than allowed."""
    agreement: Counter[str] = field(default_factory=Counter)
    """How the template's own render compares (models/chat.py), by row."""
    rows: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    """Tokens of all prompts, chosen and rejected completions."""
    longest: int = 0

    @property
    def metrics(self) -> dict[str, Any]:
        """Counts, as JSON values."""
        pairs = self.table.num_rows
        prompts, chosen, rejected = (self.tokens[name] for name in PAIR_ROWS_SCHEMA.names)
        return {
            "in": self.rows,
            "examples": pairs,
            "left_out": dict(sorted(Counter(row["reason"] for row in self.left_out).items())),
            "tokens": 2 * prompts + chosen + rejected,
            "loss_tokens": chosen + rejected,
            "mean_tokens": {
                CHOSEN: chosen / pairs if pairs else None,
                REJECTED: rejected / pairs if pairs else None,
            },
            "longest": self.longest,
            "template": dict(sorted(self.agreement.items())),
        }


def render_pairs(
    data: Artifact,
    tokenizer: Any,
    max_length: int,
    template_kwargs: Mapping[str, Any],
    lint: RowLint,
    progress: Progress,
) -> PairRows:
    """Render every pair of `data`.

    Args:
        max_length: most tokens of a side, prompt included; longer pairs are left out.

    Raises:
        RequestError: the rows are not pairs of one prompt in their order.
    """
    made = PairRows()
    kept: list[dict[str, list[int]]] = []
    tables = []
    for number, chosen, rejected in _pairs(data):
        made.rows += 2
        try:
            kept.append(
                _render(made, tokenizer, max_length, template_kwargs, lint, chosen, rejected)
            )
        except LeftOut as refusal:
            made.left_out += [
                {"id": sample.id, "pair": number, "side": side, "reason": refusal.reason}
                for side, sample in ((CHOSEN, chosen), (REJECTED, rejected))
            ]
            if refusal.length is not None:
                made.too_long.append(refusal.length)
        if len(kept) == BATCH:
            tables.append(pa.Table.from_pylist(kept, PAIR_ROWS_SCHEMA))
            kept = []
            progress.update(made.rows, data.rows, phase="render", left_out=len(made.left_out))
    progress.update(made.rows, data.rows, phase="render", left_out=len(made.left_out))
    made.table = pa.concat_tables([*tables, pa.Table.from_pylist(kept, PAIR_ROWS_SCHEMA)])
    return made


def refuse_too_long(made: PairRows, max_length: int, positions: int) -> None:
    """Stop rather than train without the long pairs unasked; the model takes `positions` tokens.

    Raises:
        RequestError: names how many pairs are too long, the longest, and what to set.
    """
    if made.too_long:
        longest = max(made.too_long)
        advice = "Set over_length: drop to train without them; each is then listed in left_out/"
        if longest <= positions:
            advice = f"Set max_length: {longest} to keep all. {advice}"
        raise RequestError(
            f"{len(made.too_long)} of {made.rows // 2} pairs have a side of more than max_length "
            f"{max_length} tokens; the longest has {longest} (the model takes {positions}). "
            f"Nothing is cut, since a cut completion loses its answer. {advice}."
        )


def write_left_out(out: Path, made: PairRows) -> None:
    """`left_out/part-*.parquet`: id, pair, side and reason of each row that is not trained."""
    write_rows(out / "left_out", made.left_out, LEFT_OUT_SCHEMA)


def _render(
    made: PairRows,
    tokenizer: Any,
    max_length: int,
    template_kwargs: Mapping[str, Any],
    lint: RowLint,
    chosen: Sample,
    rejected: Sample,
) -> dict[str, list[int]]:
    """One pair, counted."""
    if _was_cut(chosen):
        raise LeftOut("cut_off")
    try:
        better, worse = (
            render_example(tokenizer, sample.prompt, sample.completion, template_kwargs)
            for sample in (chosen, rejected)
        )
    except NotRenderable as refusal:
        raise LeftOut(refusal.reason) from refusal
    start = better.completion_start
    prompt = better.token_ids[:start]
    assert prompt == worse.token_ids[: worse.completion_start], "one prompt rendered in two ways"
    row = [prompt, better.token_ids[start:], worse.token_ids[start:]]
    if _was_cut(rejected):
        row[2] = row[2][: -len(encode(tokenizer, end_of_turn(tokenizer)))]
    if row[1] == row[2]:
        raise LeftOut("same_completion")
    length = start + max(len(row[1]), len(row[2]))
    if length > max_length:
        raise LeftOut("too_long", length)
    lint.look(chosen, better, better.labels)
    lint.look(rejected, worse, worse.labels)
    made.agreement.update([better.agreement, worse.agreement])
    made.longest = max(made.longest, length)
    named = dict(zip(PAIR_ROWS_SCHEMA.names, row, strict=True))
    made.tokens.update({name: len(tokens) for name, tokens in named.items()})
    return named


def _was_cut(sample: Sample) -> bool:
    return sample.generation is not None and sample.generation.finish_reason == "length"


def _pairs(data: Artifact) -> Iterator[tuple[int, Sample, Sample]]:
    rows = (
        row
        for file in shard_files(data.path)
        for batch in read_table(file).to_batches(max_chunksize=BATCH)
        for row in batch.to_pylist()
    )
    for place, chosen in enumerate(rows):
        rejected = next(rows, None)
        if rejected is None or _place(chosen, rejected) != (CHOSEN, REJECTED):
            raise RequestError(
                f"rows {2 * place} and {2 * place + 1} of step {data.step!r} are no pair. Expected "
                f"the {CHOSEN} and then the {REJECTED} side of one pair and one prompt, as a "
                "select step with pairs writes them."
            )
        yield chosen["pair"], Sample.from_row(chosen), Sample.from_row(rejected)


def _place(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, str] | None:
    """The sides of two rows; None where they are not of one pair."""
    same = all(first[name] == second[name] for name in ("pair", "prompt_id", "prompt"))
    return (first["side"], second["side"]) if same else None
