"""Supervised fine-tuning: a student learns to write the completions of a mixture.

Loss is on the completion and its end of turn only. The rows are rendered by `models/chat.py` and
trained by trl's `SFTTrainer` (`loop.py`) exactly as rendered. The result is a folder that
transformers and vLLM load. Not here: resuming within a training, several GPUs, packing.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue

from ..models.chat import end_of_turn_id, load_tokenizer
from ..pipeline.errors import RequestError
from ..pipeline.references import Model, Samples, reference_kind
from ..pipeline.shards import write_text
from ..pipeline.stage import Context, Metrics, Stage
from .checkpoint import load_student, longest_input, merge_adapter, save_checkpoint
from .examples import Examples, refuse_too_long, render_rows, write_left_out
from .loop import StepLog, choose_numerics, fit, quiet_environment, refuse_missing_libraries
from .settings import TrainingSettings

LAST_STEPS = 10
"""`loss_last` is the mean over this many steps: one batch says little."""


class Sft(TrainingSettings, Stage):
    """Fine-tune `model` on the completions of `data`."""

    kind: ClassVar[str] = "sft"
    version: ClassVar[int] = 1
    makes: ClassVar[str] = "model"
    expensive: ClassVar[bool] = True

    data: Samples
    model: Model
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of an example, prompt included. None: as many as the model's positions allow."""
    over_length: Literal["refuse", "leave_out"] = "refuse"
    """What to do with longer rows. They are never cut."""
    chat_template_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """Passed to the chat template, as in `generate`; e.g. enable_thinking."""

    def run(self, context: Context) -> Metrics:
        """Render, train, save.

        Raises:
            RequestError: rows longer than max_length, nothing to train on, an unusable model.
            StepFailed: memory ran out or the loss became NaN.
        """
        refuse_missing_libraries()
        quiet_environment()
        threads = _use_threads(context.workers)
        source = context.path(self.model)
        tokenizer = load_tokenizer(source)
        numerics = choose_numerics(self)
        model = load_student(source, numerics.weights)
        parameters = model.num_parameters()
        attention = str(model.config._attn_implementation)

        examples = self._examples(context, tokenizer, model)
        write_left_out(context.out, examples)
        trained, log = fit(model, tokenizer, examples.table, self, numerics, context.progress)
        trainable = trained.num_parameters(only_trainable=True)
        if self.lora is not None:
            trained = merge_adapter(trained, context.out, base=self._model_name)
        end = end_of_turn_id(tokenizer)
        save_checkpoint(trained, context.out, source, end, numerics.arithmetic)
        _write_log(context.out, log)
        return {
            **examples.metrics,
            **_losses(log),
            "parameters": parameters,
            "trained_parameters": trainable,
            "numerics": {**asdict(numerics), "threads": threads, "attention": attention},
        }

    @property
    def _model_name(self) -> str:
        """The student without the folders of this machine."""
        is_path = reference_kind(self.model) == "path"
        return Path(self.model).name if is_path else self.model

    def _examples(self, context: Context, tokenizer: Any, model: Any) -> Examples:
        longest = longest_input(model)
        max_length = self.max_length or longest
        if max_length > longest:
            raise RequestError(
                f"max_length {max_length} is more than the {longest} positions of {self.model}. "
                f"Set max_length: {longest} or less."
            )
        examples = render_rows(
            context.samples(self.data),
            tokenizer,
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
        _refuse_unknown_tokens(examples, model, self.model)
        return examples


def _refuse_unknown_tokens(examples: Examples, model: Any, name: str) -> None:
    """A token without an embedding would end in an index error in the middle of the training."""
    import pyarrow.compute as pc

    embeddings = model.get_input_embeddings().weight.shape[0]
    largest = pc.max(pc.list_flatten(examples.table["input_ids"])).as_py()
    if largest >= embeddings:
        raise RequestError(
            f"{name}: its tokenizer gives token {largest}, and the model has only {embeddings} "
            "embeddings. Expected the tokenizer that belongs to the model."
        )


def _use_threads(workers: int) -> int:
    """Let torch use as many threads as the run has workers and cores; returns their number.

    Not what torch has now: an engine that ran in this process before may have lowered that, and
    the number of threads decides the last bits of the weights.
    """
    import torch

    torch.set_num_threads(max(1, min(workers, os.cpu_count() or 1)))
    return int(torch.get_num_threads())


def _losses(log: list[StepLog]) -> dict[str, Any]:
    last = log[-LAST_STEPS:]
    return {
        "steps": len(log),
        "loss_first": log[0].loss,
        "loss_last": sum(step.loss for step in last) / len(last),
    }


def _write_log(out: Path, log: list[StepLog]) -> None:
    """`log/steps.jsonl`: the loss curve, one line for each step."""
    text = "".join(json.dumps(asdict(step)) + "\n" for step in log)
    write_text(out / "log" / "steps.jsonl", text)
