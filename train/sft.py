"""Supervised fine-tuning: a student learns to write the completions of a mixture.

Loss is on the completion and its end of turn only. The rows are rendered by `models/chat.py` and
trained by trl's `SFTTrainer` exactly as rendered: trl is told to prepare nothing
(`skip_prepare_dataset`) and to cut nothing (`max_length=None`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..pipeline.errors import RequestError
from ..pipeline.references import Samples
from ..pipeline.stage import Context
from .examples import Examples, refuse_too_long, render_rows, write_left_out
from .running.bench import Bench
from .students.student import Student
from .training import Prepared, TrainingStage


class Sft(TrainingStage):
    """Fine-tune `model` on the completions of `data`."""

    kind: ClassVar[str] = "sft"
    version: ClassVar[int] = 1

    data: Samples
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of an example, prompt included. None: as many as the model's positions allow."""
    over_length: Literal["refuse", "leave_out"] = "refuse"
    """What to do with longer rows. They are never cut."""

    def prepare(self, context: Context, student: Student) -> Prepared:
        """Render every row.

        Raises:
            RequestError: rows longer than max_length, nothing to train on, an unusable model.
        """
        examples = self._examples(context, student)
        write_left_out(context.out, examples)
        return Prepared(examples.table, examples.metrics)

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """trl's SFTTrainer over token rows."""
        from trl import SFTConfig, SFTTrainer

        own = {"dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": None}
        yield SFTTrainer(
            model=bench.model,
            args=SFTConfig(**bench.arguments(**own)),
            train_dataset=bench.dataset(),
            processing_class=bench.student.tokenizer,
            peft_config=bench.peft_config,
        )

    def _examples(self, context: Context, student: Student) -> Examples:
        longest = student.positions
        max_length = self.max_length or longest
        if max_length > longest:
            raise RequestError(
                f"max_length {max_length} is more than the {longest} positions of {self.model}. "
                f"Set max_length: {longest} or less."
            )
        examples = render_rows(
            context.samples(self.data),
            student.tokenizer,
            max_length,
            self.chat_template_kwargs,
            context.progress,
        )
        if self.over_length == "refuse":
            refuse_too_long(examples, max_length, longest)
        if not examples.table.num_rows:
            raise RequestError(
                f"no row of {self.data!r} can be trained on: {examples.rows} rows, left out: "
                f"{examples.metrics['left_out']}. Expected at least one row with a completion."
            )
        _refuse_unknown_tokens(examples, student)
        return examples


def _refuse_unknown_tokens(examples: Examples, student: Student) -> None:
    """A token without an embedding would end in an index error in the middle of the training."""
    import pyarrow.compute as pc

    largest = pc.max(pc.list_flatten(examples.table["input_ids"])).as_py()
    if student.vocabulary is not None and largest >= student.vocabulary:
        raise RequestError(
            f"{student.name}: its tokenizer gives token {largest}, and the model has only "
            f"{student.vocabulary} embeddings. Expected the tokenizer that belongs to the model."
        )
