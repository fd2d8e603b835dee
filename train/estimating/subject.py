"""A training that is ready to begin, as those look at it who tell what it needs.

Nothing is loaded: the model is its skeleton. What is unknown is None, and never 0: the lengths of
completions that are written while training, a model that torch cannot follow on shapes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...pipeline.stage import Context
from ..running.attention import skips_padding, use_attention
from ..running.numerics import Numerics
from ..sft import Sft
from ..students.student import Student
from ..training import Prepared, TrainingStage
from .skeleton import Parameters, Traced, skeleton, traced
from .work import micro_batch, padded_tokens, sequence_lengths, steps


@dataclass(frozen=True)
class Subject:
    """One training, prepared and not begun."""

    stage: TrainingStage
    context: Context
    student: Student
    numerics: Numerics
    prepared: Prepared

    @cached_property
    def model(self) -> Any:
        """The skeleton, adapters on."""
        return skeleton(self.student, self.stage, self.numerics)

    @cached_property
    def config(self) -> Any:
        """The skeleton's text config, with the vocabulary that is trained."""
        return self.model.config.get_text_config()

    @cached_property
    def parameters(self) -> Parameters:
        """Counted on the skeleton."""
        return Parameters.of(self.model)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64] | None:
        """Tokens of each sequence, by example; None where they are not written yet."""
        return sequence_lengths(self.prepared.table)

    @cached_property
    def steps(self) -> int:
        """Optimizer steps."""
        return steps(self.stage, self.prepared.table.num_rows)

    @cached_property
    def longest_batch(self) -> tuple[int, int] | None:
        """Sequences of a micro-batch, and tokens of the longest of all."""
        if self.lengths is None:
            return None
        sequences = min(self.micro_batch * self.lengths.shape[1], self.lengths.size)
        return sequences, int(self.lengths.max())

    @property
    def micro_batch(self) -> int:
        """Examples of one forward pass of one process."""
        return micro_batch(self.stage, self.numerics.processes)

    @property
    def accumulates(self) -> bool:
        """Whether an optimizer step has several micro-batches."""
        return self.stage.batch_size > self.micro_batch * self.numerics.processes

    @property
    def tokens(self) -> float | None:
        """Tokens that go through the student in one epoch, padding included."""
        if self.lengths is None:
            return None
        if not self.padded:
            return float(self.lengths.sum())
        return padded_tokens(self.lengths, self.stage, self.micro_batch)

    @cached_property
    def padded(self) -> bool:
        """Whether the rows of a micro-batch are padded to its longest."""
        if not isinstance(self.stage, Sft):
            return True
        if self.stage.packing or self.stage.padding_free != "auto":
            return not (self.stage.packing or self.stage.padding_free)
        model = skeleton(self.student, self.stage, self.numerics)  # its attention is changed
        return not skips_padding(use_attention(model, self.stage, self.numerics))

    def traced(self, sequences: int, length: int) -> Traced | None:
        """One micro-batch through the skeleton; None where torch knows no shape of an operation.

        Such are experts' kernels in float32 (torch 2.13), and layers that look at numbers.
        """
        bfloat16 = self.numerics.arithmetic == "bfloat16"
        try:
            return traced(self.model, sequences, length, bfloat16=bfloat16)
        except RuntimeError as error:
            first = str(error).partition("\n")[0]
            self.context.progress.note(f"activations and operations stay unknown: {first}")
            return None
