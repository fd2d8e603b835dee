"""Supervised fine-tuning: a student learns to write the completions of a mixture.

The rows are rendered by `models/`, cut, packed and ordered by `rows/` and trained by trl's
`SFTTrainer` exactly as they are: trl is told to prepare nothing (`skip_prepare_dataset`) and to
cut nothing (`max_length=None`). docs/sft.md says what each choice does to what is learnt.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import Execution, Samples
from ..pipeline.stage import Context, Metrics
from .rows.examples import Examples, refuse_nothing, refuse_too_long, write_left_out
from .rows.isolation import isolation_check
from .rows.linting import RowLint
from .rows.order import epoch_order, in_order, token_counts, useful_share
from .rows.packing import pack, packing_metrics
from .rows.rendering import Loss, OverLength, Rendering, render_rows
from .running.attention import skips_padding
from .running.bench import Bench
from .students.student import Student
from .training import Prepared, TrainingStage

MUCH_PADDING = 0.25
"""From this share of padding on, a user is told."""


class Sft(TrainingStage):
    """Fine-tune `model` on the completions of `data`."""

    kind: ClassVar[str] = "sft"
    version: ClassVar[int] = 2

    data: Samples
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of an example, prompt included. None: as many as the model's positions allow."""
    over_length: OverLength = "refuse"
    """What to do with longer rows. drop: leave them out, each listed. split: train the completion
    in pieces, each behind the prompt. They are never cut."""
    loss: Loss = "completion"
    """assistant: loss also on the assistant's earlier turns in a prompt."""
    packing: bool = False
    """Put several rows into one sequence of max_length tokens (None: of the longest row), where
    they do not see each other. batch_size and micro_batch then count such packs."""
    longest_first: bool = True
    """The longest rows in the first two optimizer steps, so that memory runs out there or never."""

    padding_free: Annotated[bool | Literal["auto"], Execution()] = "auto"
    """Train the rows of a micro-batch one behind the other in place of padding them to the longest.
    auto: where the attention has a kernel for it."""
    selective_checkpointing: Annotated[bool, Execution()] = False
    """With gradient_checkpointing: keep what attention computed, compute only the rest twice."""
    offload_activations: Annotated[bool, Execution()] = False
    """Keep activations in the main memory in place of the GPU's."""

    @model_validator(mode="after")
    def _selective_is_checkpointing(self) -> Sft:
        if self.selective_checkpointing and not self.gradient_checkpointing:
            raise ValueError("selective_checkpointing needs gradient_checkpointing: true")
        return self

    def prepare(self, context: Context, student: Student) -> Prepared:
        """Render every row, and pack them where asked.

        Raises:
            RequestError: rows longer than max_length, nothing to train on, an unusable model.
        """
        examples, linted = self._examples(context, student)
        write_left_out(context.out, examples)
        metrics = {**examples.metrics, **linted}
        if not self.packing:
            return Prepared(examples.table, metrics)
        length = self.max_length or examples.longest
        packed = pack(examples.table, length)
        return Prepared(packed, {**metrics, **packing_metrics(packed, length)})

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """trl's SFTTrainer over token rows."""
        from trl import SFTConfig, SFTTrainer

        if self.offload_activations and bench.numerics.device == "cpu":
            raise RequestError(
                "offload_activations moves them off a GPU, and this training runs on the CPU. "
                "Leave it out."
            )
        attention = str(bench.model.config._attn_implementation)
        flat = self.packing or (
            skips_padding(attention) if self.padding_free == "auto" else self.padding_free
        )
        trainer = in_order(SFTTrainer, longest_first=self.longest_first)(
            model=bench.model,
            args=SFTConfig(**bench.arguments(**self._arguments(flat))),
            train_dataset=bench.dataset(),
            processing_class=bench.student.tokenizer,
            peft_config=bench.peft_config,
            callbacks=[isolation_check()] if flat else [],
        )
        if bench.main and not flat:
            self._tell_padding(bench, trainer)
        yield trainer

    def _arguments(self, flat: bool) -> dict[str, Any]:
        kept = {"gradient_checkpointing_kwargs": {"selective": True}}
        return {
            **(kept if self.selective_checkpointing else {}),
            "dataset_kwargs": {"skip_prepare_dataset": True},
            "max_length": None,
            "padding_free": flat,
            "packing": flat,  # so that trl refuses context parallelism, which knows no borders
            "activation_offloading": self.offload_activations,
        }

    def _examples(self, context: Context, student: Student) -> tuple[Examples, Metrics]:
        longest = student.positions
        max_length = self.max_length or longest
        if max_length > longest:
            raise RequestError(
                f"max_length {max_length} is more than the {longest} positions of {self.model}. "
                f"Set max_length: {longest} or less."
            )
        rendering = Rendering(
            student.tokenizer, max_length, self.over_length, self.loss, self.chat_template_kwargs
        )
        data = context.samples(self.data)
        refuse_pairs(data, "data")
        lint = RowLint(student, self.chat_template_kwargs)
        examples = render_rows(data, rendering, lint, context.progress)
        if self.over_length == "refuse":
            refuse_too_long(examples, max_length, longest)
        refuse_nothing(examples, self.data)
        return examples, lint.conclude(context.progress, data.step)

    def _tell_padding(self, bench: Bench, trainer: Any) -> None:
        lengths = token_counts(trainer.train_dataset)
        args = trainer.args
        order = epoch_order(lengths, self.batch_size, self.longest_first, args.seed, 0)
        padding = 1 - useful_share(lengths[order], args.train_batch_size)
        if padding >= MUCH_PADDING:
            bench.context.progress.note(
                f"padding is {padding:.0%} of all that is computed: rows of different lengths "
                f"share a micro_batch of {args.train_batch_size}. padding_free: true or packing: "
                "true goes without, and a smaller micro_batch needs less"
            )
