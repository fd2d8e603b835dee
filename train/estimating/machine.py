"""What this machine has for a training: memory that is free, and room on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..running.numerics import Numerics


def available_memory(numerics: Numerics) -> int:
    """Bytes that the device of one process has free now; on the CPU all processes share them."""
    if numerics.device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(psutil.virtual_memory().available) // numerics.processes


def process_memory(numerics: Numerics) -> int:
    """Bytes of this process with all that a training loads but the model; 0 beside a GPU."""
    if numerics.device == "cuda":
        return 0
    import psutil
    from trl import SFTTrainer  # noqa: F401 - trl loads its trainers when they are asked for

    return int(psutil.Process().memory_info().rss)


def free_space(folder: Path) -> int:
    """Bytes that are free where a folder lies, or will lie."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
