"""One run of trl's `SFTTrainer` over rows that are already tokens and labels.

trl is told to prepare nothing (`skip_prepare_dataset`) and to cut nothing (`max_length=None`): it
pads a batch, masks the padding and optimises. Its defaults that would surprise are set here by
name: bf16 and gradient checkpointing on, a NaN loss hidden behind the average, telemetry.
"""

from __future__ import annotations

import math
import os
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.progress import Progress
from .settings import Lora, TrainingSettings

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


@dataclass(frozen=True, slots=True)
class StepLog:
    """One optimizer step, as the trainer logged it."""

    step: int
    loss: float
    learning_rate: float
    grad_norm: float | None


@dataclass(frozen=True, slots=True)
class Numerics:
    """What the arithmetic ran on: part of why two runs may differ in the last bits."""

    device: str
    weights: str
    """dtype of the weights while training; of the frozen ones, with LoRA."""
    arithmetic: str
    """dtype of the matrix products, and of the saved weights."""


def choose_numerics(settings: TrainingSettings) -> Numerics:
    """Resolve `device` and `dtype`: auto."""
    import torch

    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise RequestError(
            "device: cuda was asked for, and torch sees no GPU here. Set device: auto."
        )
    device = "cuda" if available and settings.device != "cpu" else "cpu"
    if settings.dtype != "auto":
        return Numerics(device, settings.dtype, settings.dtype)
    if device == "cpu":
        return Numerics(device, "float32", "float32")
    return Numerics(device, "bfloat16" if settings.lora else "float32", "bfloat16")


def refuse_missing_libraries() -> None:
    """Training needs more than the core install.

    Raises:
        RequestError: names what is absent and the command that installs it.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise RequestError(
            f"training needs {', '.join(missing)}, not installed here. "
            "Install: pip install 'potstill[train]', or run make setup in a checkout."
        )


def quiet_environment() -> None:
    """No call home, one device, threads that sleep: set before torch and trl are loaded.

    trl sends a telemetry ping from each trainer, and refuses to start where it sees several GPUs
    without a launcher. OpenMP's threads spin while they wait; beside one other busy process on two
    cores that cost a factor of seven (0.25 against 1.7 steps/s), so they are told to sleep.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    # trl 1.16 declares vllm 0.22-0.31 for its own generation, which is never used here.
    warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")


def fit(
    model: Any,
    tokenizer: Any,
    rows: pa.Table,
    settings: TrainingSettings,
    numerics: Numerics,
    progress: Progress,
) -> tuple[Any, list[StepLog]]:
    """Train; returns the trained model (a peft model with LoRA) and the log of all steps.

    Raises:
        RequestError: LoRA was to adapt layers that the model does not have.
        StepFailed: memory ran out, or the loss stopped being a number.
    """
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTTrainer

    log: list[StepLog] = []
    with tempfile.TemporaryDirectory(prefix="potstill-sft-") as scratch:
        trainer = SFTTrainer(
            model=model,
            args=_arguments(settings, numerics, scratch),
            train_dataset=Dataset(rows),
            processing_class=tokenizer,
            peft_config=_peft_config(settings.lora, model),
            callbacks=[_reporter(log, progress)],
        )
        trainer.remove_callback(PrinterCallback)
        try:
            trainer.train()
        except torch.OutOfMemoryError as error:
            raise StepFailed(
                f"the GPU's memory ran out ({str(error).splitlines()[0]}). Set a smaller "
                f"micro_batch (now {settings.micro_batch or settings.batch_size}), "
                "gradient_checkpointing: true, or lora: {}."
            ) from error
    return trainer.model, log


def _arguments(settings: TrainingSettings, numerics: Numerics, scratch: str) -> Any:
    from trl import SFTConfig

    micro_batch = settings.micro_batch or settings.batch_size
    constant = settings.schedule == "constant"
    return SFTConfig(
        output_dir=scratch,
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=settings.batch_size // micro_batch,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant_with_warmup" if constant else settings.schedule,
        warmup_steps=settings.warmup_share,  # below 1 it is a share of all steps
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        gradient_checkpointing=settings.gradient_checkpointing,
        bf16=numerics.arithmetic == "bfloat16",
        use_cpu=numerics.device == "cpu",
        dataloader_num_workers=0,
        dataloader_pin_memory=numerics.device == "cuda",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )


def _peft_config(lora: Lora | None, model: Any) -> Any:
    if lora is None:
        return None
    from peft import LoraConfig
    from torch.nn import Linear

    head = model.get_output_embeddings()
    layers = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, Linear) and module is not head
    }
    wanted = layers if lora.target == "all-linear" else set(lora.target)
    if unknown := sorted(wanted - layers):
        raise RequestError(
            f"lora.target: the model has no linear layer {', '.join(unknown)} that can be "
            f"adapted. Expected all-linear or some of: {', '.join(sorted(layers))}."
        )
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=sorted(wanted),
    )


def _reporter(log: list[StepLog], progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        def on_log(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            logs = facts["logs"]
            if "loss" not in logs:
                return  # the summary at the end
            step = StepLog(
                state.global_step, logs["loss"], logs["learning_rate"], logs.get("grad_norm")
            )
            if not math.isfinite(step.loss):
                raise StepFailed(
                    f"the loss became {step.loss} at step {step.step} of {state.max_steps}: the "
                    f"training diverged. Set a lower learning_rate (now {args.learning_rate:g}) or "
                    "a longer warmup_share."
                )
            log.append(step)
            progress.update(step.step, state.max_steps, phase="train", loss=round(step.loss, 4))

    return Reporter()
