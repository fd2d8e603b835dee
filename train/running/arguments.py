"""The fields of transformers' `TrainingArguments` that all kinds of training share.

trl's and transformers' defaults that would surprise are set here by name: bf16 and gradient
checkpointing on, a NaN loss hidden behind the average, telemetry, checkpoints without end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..settings import TrainingSettings
from .numerics import Numerics


def common_arguments(
    settings: TrainingSettings, numerics: Numerics, checkpoints: Path
) -> dict[str, Any]:
    """Keyword arguments for `SFTConfig`, `DPOConfig`, `GRPOConfig` and `DistillationConfig`."""
    at_once = settings.batch_size // numerics.processes
    micro_batch = min(settings.micro_batch or at_once, at_once)
    constant = settings.schedule == "constant"
    return {
        "output_dir": str(checkpoints),
        "per_device_train_batch_size": micro_batch,
        "gradient_accumulation_steps": at_once // micro_batch,
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps or -1,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if constant else settings.schedule,
        "warmup_steps": settings.warmup_share,  # below 1 it is a share of all steps
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "seed": settings.seed,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "bf16": numerics.arithmetic == "bfloat16",
        "use_cpu": numerics.device == "cpu",
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": numerics.device == "cuda",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": list(settings.trackers) or "none",
        "run_name": checkpoints.parent.name,
        "save_strategy": "no",  # callbacks.py says when
        "save_total_limit": None,  # checkpoints.py removes them, after the next one is whole
        "disable_tqdm": True,
    }
