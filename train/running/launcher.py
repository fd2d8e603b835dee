"""Several processes that train one job: started with `accelerate launch`, listened to, ended.

accelerate makes the environment of its config and runs torchrun, which starts one process for each
GPU. The step listens to those of its own machine; the first error is its own error. Whatever
happens, none of them is left when this returns: they end with the line (channel.py), and by kill.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from ...pipeline.interrupts import blocked
from ...pipeline.stage import Context
from .channel import SOCKET, StepEnd
from .cluster import Cluster
from .numerics import Numerics
from .processes import Processes

_GRACE_S: Final = 30.0
"""For torchrun to end after its processes."""


def run_processes(job: Path, cluster: Cluster, numerics: Numerics, context: Context) -> None:
    """Train a job to its end.

    Raises:
        RequestError, StepFailed: of the process that raised it, or StepFailed for one that died.
        StoppedOnPurpose: all of them stopped at a checkpoint.
    """
    command = launch_command(job, cluster, numerics)
    if cluster.machines > 1:
        elsewhere = " ".join(launch_command(job, cluster, numerics, machine="RANK")[1:])
        context.progress.note(
            f"waiting for {cluster.machines - 1} other machines at {cluster.address}; on each run, "
            f"with RANK from 1 on: python {elsewhere}"
        )
    with StepEnd() as line:
        # Its mask is inherited: a batch system signals every process of a job, and torchrun would
        # end them all at once. The step passes the wish on, and they end at a checkpoint.
        with blocked(signal.SIGTERM):
            launcher = subprocess.Popen(
                command, env=_environment(line, numerics.threads), stdin=subprocess.DEVNULL
            )
        processes = Processes(cluster.here, context)
        try:
            processes.listen(line, launcher)
            if (failure := processes.failure(_log(context))) is not None:
                raise failure
            with contextlib.suppress(subprocess.TimeoutExpired):
                launcher.wait(_GRACE_S)
        finally:
            processes.kill()
            launcher.kill()
            launcher.wait()


def launch_command(
    job: Path, cluster: Cluster, numerics: Numerics, machine: str = "0"
) -> list[str]:
    """`accelerate launch` for one machine.

    Args:
        machine: its number; the step runs on 0.
    """
    host, _, port = (cluster.address or ":0").rpartition(":")  # 0: any that is free
    several = [
        *("--num_machines", str(cluster.machines)),
        *("--machine_rank", machine),
        *("--main_process_ip", host),
    ]
    return [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--config_file", str(cluster.config)),
        *("--num_processes", str(cluster.processes)),
        *("--mixed_precision", "bf16" if numerics.arithmetic == "bfloat16" else "no"),
        *(several if cluster.machines > 1 else ()),
        *("--main_process_port", port),
        *("--module", f"{__package__}.rank", str(job)),
    ]


def _environment(line: StepEnd, threads: int) -> dict[str, str]:
    return {
        **os.environ,
        SOCKET: line.address,
        # What this process can import, and no module that happens to lie in the current folder.
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        "PYTHONSAFEPATH": "1",
        "OMP_NUM_THREADS": str(threads),
    }


def _log(context: Context) -> str:
    """Where a user finds what the processes printed."""
    file = context.out.parent / "logs" / f"{context.step.rpartition('/')[2]}.log"
    return f"What it printed: {file}" if file.exists() else "What it printed stands above."
