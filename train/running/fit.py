"""One process of a training: make the trainer, go on from the last checkpoint, train to the end.

What comes out is a sealed checkpoint and `facts.json` beside it, whatever process wrote them; the
step reads both from there.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from ...pipeline.errors import RequestError, StepFailed, StoppedOnPurpose
from ...pipeline.shards import write_text
from .bench import Bench
from .callbacks import common_callbacks
from .checkpoints import Checkpoints, trainer_state
from .evaluation import Evaluator, open_evaluator
from .full_disk import told_in_words

if TYPE_CHECKING:
    from ..training import TrainingStage

FACTS = "facts.json"


def fit(stage: TrainingStage, bench: Bench) -> None:
    """Train to the last step.

    Raises:
        RequestError: the student cannot be loaded or adapted.
        StepFailed: memory ran out, the disk is full, or the loss stopped being a number.
        StoppedOnPurpose: somebody wished it; the last checkpoint is where it goes on.
    """
    import torch
    from transformers import PrinterCallback

    last = Checkpoints(bench.checkpoints).latest()
    if last is not None and is_finished(trainer_state(last)):
        return
    with stage.open_trainer(bench) as trainer, _evaluator(bench, trainer) as evaluator:
        trainer.remove_callback(PrinterCallback)
        for callback in common_callbacks(bench, trainer, evaluator, last):
            trainer.add_callback(callback)
        if bench.main:
            write_text(bench.checkpoints / FACTS, json.dumps(_facts(trainer)))
        if last is not None:
            _go_on(trainer, trainer_state(last), bench)
        with told_in_words(f"a checkpoint below {bench.checkpoints}"):
            try:
                trainer.train(resume_from_checkpoint=None if last is None else str(last))
            except torch.OutOfMemoryError as error:
                raise _out_of_memory(error, bench) from error
        state = trainer.state
    if bench.context.stop.requested and state.global_step < state.max_steps:
        raise StoppedOnPurpose(
            f"stopped after step {state.global_step} of {state.max_steps}, which is a checkpoint; "
            "run the same command to go on"
        )


def _go_on(trainer: Any, state: dict[str, Any], bench: Bench) -> None:
    """What a checkpoint of transformers does not bring back by itself."""
    if bench.main:
        note = f"going on from the checkpoint of step {state['global_step']}"
        bench.context.progress.note(note)
    # trl counts the tokens of the log (`num_tokens`) in an attribute that starts at 0.
    counted = [entry["num_tokens"] for entry in state["log_history"] if "num_tokens" in entry]
    if counted:
        trainer._total_train_tokens = counted[-1]


def is_finished(state: dict[str, Any]) -> bool:
    """Whether a checkpoint is the last one of its training."""
    return bool(state["global_step"] >= state["max_steps"])


def _evaluator(bench: Bench, trainer: Any) -> AbstractContextManager[Evaluator | None]:
    config = bench.settings.evaluate
    if config is None:
        return nullcontext()
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise RequestError(
            "evaluate while training needs whole weights in each process, and FSDP or DeepSpeed "
            "cuts them into pieces. Leave evaluate out and add an evaluate step after this one."
        )
    return open_evaluator(bench, config)


def _facts(trainer: Any) -> dict[str, Any]:
    model = trainer.accelerator.unwrap_model(trainer.model)
    return {
        "parameters": model.num_parameters(),
        "trained_parameters": model.num_parameters(only_trainable=True),
        "attention": str(model.config._attn_implementation),
    }


def _out_of_memory(error: Exception, bench: Bench) -> StepFailed:
    settings = bench.settings
    return StepFailed(
        f"the GPU's memory ran out ({str(error).splitlines()[0]}). Set a smaller micro_batch (now "
        f"{settings.micro_batch or settings.batch_size}), gradient_checkpointing: true, or "
        "lora: {}. Then run the same command again: it goes on from the last checkpoint."
    )
