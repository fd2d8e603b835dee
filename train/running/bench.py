"""What one process of a training is given: the same here and behind a launcher.

A kind of training (`sft`, `dpo`, …) makes its trl trainer from a bench and knows nothing of
checkpoints, signals, progress or other processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...pipeline.stage import Context
from ..settings import TrainingSettings
from ..students.adapters import peft_config, quantization_config
from ..students.loading import load_weights
from ..students.student import Student
from .attention import use_attention
from .numerics import Numerics


@dataclass(frozen=True)
class Bench:
    """One process of a training, ready to make its trainer."""

    settings: TrainingSettings
    context: Context
    student: Student
    numerics: Numerics
    rows: pa.Table
    """What `prepare` made."""
    checkpoints: Path
    """The trainer's output_dir."""
    main: bool
    """Whether this is the process that logs, judges and writes."""

    @cached_property
    def model(self) -> Any:
        """The student's weights, loaded at the first use, with the attention that is to be used;
        adapters are not put on yet."""
        quantization = quantization_config(self.settings.lora)
        model = load_weights(self.student, self.numerics.weights, quantization)
        use_attention(model, self.settings, self.numerics)
        return model

    @cached_property
    def peft_config(self) -> Any:
        """For the trainer's `peft_config`; None where all weights are trained."""
        return peft_config(self.settings.lora, self.model, self.student.changes.trained)

    def dataset(self) -> Any:
        """The rows as a `datasets.Dataset`, without a copy."""
        from datasets import Dataset

        return Dataset(self.rows)

    def arguments(self, **own: Any) -> dict[str, Any]:
        """What every trl config is given, and what a kind adds or says otherwise."""
        from .arguments import common_arguments

        return {**common_arguments(self.settings, self.numerics, self.checkpoints), **own}
