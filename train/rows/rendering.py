"""From a mixture to token rows: what the trainer receives is exactly what `models/` rendered.

Nothing is cut unasked. A row that is too long, cut off by the teacher's token limit or not
renderable is left out with its reason. Loss is on the completion and its end of turn, with
`loss: assistant` on the earlier turns of the assistant too; never on what a user or the system
said, nor on what the template wrote around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa

from ...models.chat import NotRenderable, RenderedExample, render_example
from ...models.turns import assistant_labels
from ...pipeline.artifact import Artifact
from ...pipeline.progress import Progress
from ...pipeline.sample import Sample
from ...pipeline.shards import read_table, shard_files
from .examples import EXAMPLE_SCHEMA, Examples
from .linting import RowLint
from .splitting import NoRoom, TokenRow, split_row

OverLength: TypeAlias = Literal["refuse", "drop", "split"]
Loss: TypeAlias = Literal["completion", "assistant"]
BATCH: Final = 1000


class LeftOut(Exception):
    """A row that is not trained on; `length` in tokens where that is the reason."""

    def __init__(self, reason: str, length: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.length = length


@dataclass(frozen=True)
class Rendering:
    """How rows become tokens."""

    tokenizer: Any
    max_length: int
    over_length: OverLength = "refuse"
    loss: Loss = "completion"
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def render(self, sample: Sample) -> RenderedExample:
        """A sample as text and tokens.

        Raises:
            LeftOut: it cannot be rendered, or the teacher was cut off.
        """
        # An end of turn after a cut completion would teach to stop in the middle of a thought.
        if sample.generation is not None and sample.generation.finish_reason == "length":
            raise LeftOut("cut_off")
        try:
            return render_example(
                self.tokenizer, sample.prompt, sample.completion, self.template_kwargs
            )
        except NotRenderable as refusal:
            raise LeftOut(refusal.reason) from refusal

    def whole_row(self, sample: Sample, example: RenderedExample) -> TokenRow:
        """All its tokens, with their labels.

        Raises:
            LeftOut: an earlier turn that cannot be learnt from.
        """
        if self.loss == "completion":
            return TokenRow(example.token_ids, example.labels)
        try:
            labels = assistant_labels(self.tokenizer, sample.prompt, example, self.template_kwargs)
        except NotRenderable as refusal:
            raise LeftOut(refusal.reason) from refusal
        return TokenRow(example.token_ids, labels)

    def token_rows(self, whole: TokenRow, example: RenderedExample) -> list[TokenRow]:
        """What is trained on: one row, or the pieces of a long one.

        Raises:
            LeftOut: too long.
        """
        length = len(whole.input_ids)
        if length <= self.max_length:
            return [whole]
        if self.over_length != "split":
            raise LeftOut("too_long", length)
        try:
            return split_row(whole, example.completion_start, self.max_length)
        except NoRoom as refusal:
            raise LeftOut("prompt_too_long") from refusal


def render_rows(
    data: Artifact, rendering: Rendering, lint: RowLint, progress: Progress
) -> Examples:
    """Render every row of `data`, look at its tokens, and account for it."""
    examples = Examples()
    tables = []
    for batch in sample_batches(data):
        kept = [
            row
            for sample, copy in batch
            for row in _render(examples, rendering, lint, sample, copy)
        ]
        columns = {name: [getattr(row, name) for row in kept] for name in EXAMPLE_SCHEMA.names}
        tables.append(pa.table(columns, schema=EXAMPLE_SCHEMA))
        progress.update(examples.rows, data.rows, phase="render", left_out=len(examples.left_out))
    if tables:
        examples.table = pa.concat_tables(tables)
    return examples


def _render(
    examples: Examples, rendering: Rendering, lint: RowLint, sample: Sample, copy: int
) -> list[TokenRow]:
    """The token rows of one row, counted; none when it is left out."""
    examples.rows += 1
    try:
        example = rendering.render(sample)
        whole = rendering.whole_row(sample, example)
        rows = rendering.token_rows(whole, example)
    except LeftOut as refusal:
        examples.left_out.append({"id": sample.id, "copy": copy, "reason": refusal.reason})
        if refusal.length is not None:
            examples.too_long.append(refusal.length)
        return []
    lint.look(sample, example, whole.labels)
    examples.agreement[example.agreement] += 1
    if len(rows) > 1:
        examples.split_rows += 1
        examples.pieces += len(rows)
    examples.tokens += sum(len(row.input_ids) for row in rows)
    examples.loss_tokens += sum(row.loss_tokens for row in rows)
    examples.longest = max(examples.longest, *(len(row.input_ids) for row in rows))
    return rows


def sample_batches(data: Artifact) -> Iterator[list[tuple[Sample, int]]]:
    """Samples with their `copy` number (0 where `mix` wrote none)."""
    for file in shard_files(data.path):
        for batch in read_table(file).to_batches(max_chunksize=BATCH):
            yield [(Sample.from_row(row), row.get("copy") or 0) for row in batch.to_pylist()]
