"""From a mixture to token rows: what the trainer receives is exactly what `render_example` made.

Nothing is cut. A row that is too long, cut off by the teacher's token limit or not renderable is
left out with a reason, and the counts close: in = examples + left out by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..models.chat import NotRenderable, RenderedExample, render_example
from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.progress import Progress
from ..pipeline.sample import Sample
from ..pipeline.shards import read_table, shard_files, write_rows

EXAMPLE_SCHEMA = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])
LEFT_OUT_SCHEMA = pa.schema([("id", pa.string()), ("copy", pa.int64()), ("reason", pa.string())])
BATCH = 1000


@dataclass
class Examples:
    """Rows to train on, and the account of all others."""

    table: pa.Table = field(default_factory=EXAMPLE_SCHEMA.empty_table)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    too_long: list[int] = field(default_factory=list)
    """Lengths in tokens of the rows that are longer than allowed."""
    agreement: Counter[str] = field(default_factory=Counter)
    """How the template's own render compares (models/chat.py)."""
    rows: int = 0
    tokens: int = 0
    loss_tokens: int = 0
    longest: int = 0

    @property
    def metrics(self) -> dict[str, Any]:
        reasons = Counter(row["reason"] for row in self.left_out)
        return {
            "in": self.rows,
            "examples": self.table.num_rows,
            "left_out": dict(sorted(reasons.items())),
            "tokens": self.tokens,
            "loss_tokens": self.loss_tokens,
            "longest": self.longest,
            "template": dict(sorted(self.agreement.items())),
        }


def render_rows(
    data: Artifact,
    tokenizer: Any,
    max_length: int,
    template_kwargs: Mapping[str, Any],
    progress: Progress,
) -> Examples:
    """Render every row of `data`; rows longer than `max_length` tokens are left out, never cut."""
    examples = Examples()
    tables = []
    for batch in _batches(data):
        kept = []
        for sample, copy in batch:
            example = _render(examples, sample, copy, tokenizer, max_length, template_kwargs)
            if example is not None:
                kept.append({"input_ids": example.token_ids, "labels": example.labels})
        tables.append(pa.Table.from_pylist(kept, schema=EXAMPLE_SCHEMA))
        progress.update(examples.rows, data.rows, phase="render", left_out=len(examples.left_out))
    if tables:
        examples.table = pa.concat_tables(tables)
    return examples


def refuse_too_long(examples: Examples, max_length: int, model_length: int) -> None:
    """Stop rather than train without the long rows unasked.

    Raises:
        RequestError: names how many rows are too long, the longest, and what to set.
    """
    count = len(examples.too_long)
    if not count:
        return
    longest = max(examples.too_long)
    advice = "Set over_length: leave_out to train without them; each is then listed in left_out/"
    if longest <= model_length:
        advice = f"Set max_length: {longest} to keep all (the model takes {model_length}). {advice}"
    raise RequestError(
        f"{count} of {examples.rows} rows ({count / examples.rows:.1%}) are longer than max_length "
        f"{max_length}; the longest has {longest} tokens. Nothing is cut silently, since a cut "
        f"row loses the end of its reasoning and its answer. {advice}."
    )


def write_left_out(out: Path, examples: Examples) -> None:
    """`left_out/part-*.parquet`: id, copy and reason of each row that is not trained, no text."""
    write_rows(out / "left_out", examples.left_out, LEFT_OUT_SCHEMA)


def _render(
    examples: Examples,
    sample: Sample,
    copy: int,
    tokenizer: Any,
    max_length: int,
    template_kwargs: Mapping[str, Any],
) -> RenderedExample | None:
    """One row, counted; None when it is left out."""
    examples.rows += 1
    example, reason = None, "cut_off"
    # An end of turn after a cut completion would teach to stop in the middle of a thought.
    if sample.generation is None or sample.generation.finish_reason != "length":
        try:
            example = render_example(tokenizer, sample.prompt, sample.completion, template_kwargs)
        except NotRenderable as refusal:
            reason = refusal.reason
    if example is not None and len(example.token_ids) > max_length:
        examples.too_long.append(len(example.token_ids))
        example, reason = None, "too_long"
    if example is None:
        examples.left_out.append({"id": sample.id, "copy": copy, "reason": reason})
        return None
    length = len(example.token_ids)
    examples.agreement[example.agreement] += 1
    examples.tokens += length
    examples.loss_tokens += length - example.completion_start
    examples.longest = max(examples.longest, length)
    return example


def _batches(data: Artifact) -> Iterator[list[tuple[Sample, int]]]:
    """Samples with their `copy` number (0 where `mix` wrote none)."""
    for file in shard_files(data.path):
        for batch in read_table(file).to_batches(max_chunksize=BATCH):
            yield [(Sample.from_row(row), row.get("copy") or 0) for row in batch.to_pylist()]
