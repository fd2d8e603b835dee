"""How many processes train together, where, and what they cut into pieces: an accelerate config.

    processes: 4             the shipped ddp-8 with four processes: a whole model in each
    accelerate: fsdp2-8      a shipped config (train/accelerate/), or a file of one's own

What could not work here is refused before anything is loaded. Reading the file is
accelerate_config.py, starting the processes launcher.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...pipeline.errors import RequestError
from ..settings import TrainingSettings
from .accelerate_config import Sharding, find_config, read_config, sharding_of

_PLAIN: Final = "ddp-8"
_PORT: Final = 29500
"""torch's own default for MASTER_PORT."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The processes of one training."""

    config: Path | None = None
    """accelerate's file; None: this process alone."""
    processes: int = 1
    """On all machines."""
    machines: int = 1
    sharding: Sharding = "none"
    """What cuts the model into pieces."""
    address: str | None = None
    """`host:port` of the first of several machines, on which the step runs."""

    @property
    def here(self) -> int:
        """Processes on each machine."""
        return self.processes // self.machines

    def threads(self, workers: int) -> int:
        """Each process's share of the threads that the step may use."""
        return max(1, workers // self.here)

    def refuse_unusable(self, device: str) -> None:
        """Refuse what would fail after minutes of loading.

        Args:
            device: cpu or cuda.

        Raises:
            RequestError: too few GPUs, or pieces of a model on the CPU.
        """
        if device == "cpu":
            if self.sharding != "none":
                raise RequestError(
                    f"{self._named} cuts the model into pieces ({self.sharding}), which needs "
                    "GPUs, and this training runs on the CPU. Set processes: N without accelerate."
                )
            return
        import torch

        there = torch.cuda.device_count()
        if there < self.here:
            raise RequestError(
                f"{self._named} wants {self.here} processes on this machine, one for each GPU, and "
                f"torch sees {there}. Set processes: {there * self.machines}."
            )

    @property
    def _named(self) -> str:
        return f"accelerate: {self.config}" if self.sharding != "none" else "processes"


ALONE: Final = Cluster()
"""The step's own process."""


def find_cluster(settings: TrainingSettings) -> Cluster:
    """What `processes` and `accelerate` ask for.

    Raises:
        RequestError: an unknown or unusable config, a batch that cannot be cut evenly, or a
            library that is not installed.
    """
    if settings.accelerate is None and settings.processes == 1:
        return ALONE
    file = find_config(settings.accelerate or _PLAIN)
    config = read_config(file)
    sharding = sharding_of(file, config)
    processes = settings.processes if settings.processes > 1 else config.num_processes
    machines = config.num_machines
    if processes < 1 or processes % machines:
        raise RequestError(
            f"{file}: {processes} processes cannot be shared out among {machines} machines; "
            "expected num_processes to be a multiple of num_machines"
        )
    if (uneven := settings.uneven(processes)) is not None:
        raise RequestError(uneven)
    address = _address(file, config) if machines > 1 else None
    return Cluster(file, processes, machines, sharding, address)


def _address(file: Path, config: Any) -> str:
    """Where the machines meet: by the config, else by the environment."""
    host = config.main_process_ip or os.environ.get("MASTER_ADDR")
    if not host:
        raise RequestError(
            f"{file} is for {config.num_machines} machines, and nothing says where they meet. Set "
            "main_process_ip in it, or MASTER_ADDR in the environment (docs/scaling.md)."
        )
    return f"{host}:{config.main_process_port or os.environ.get('MASTER_PORT') or _PORT}"
