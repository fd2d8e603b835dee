"""Where a training runs: in the step's own process, or in several that it starts.

What it leaves is the same: sealed checkpoints, of which the newest is the end of the training.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ...pipeline.errors import RequestError
from ...pipeline.stage import Context
from ..students.student import Student
from .bench import Bench
from .checkpoints import Checkpoints
from .cluster import ALONE, Cluster
from .fit import fit
from .numerics import Numerics

if TYPE_CHECKING:
    from ..training import TrainingStage

FOLDER: Final = "checkpoints"
"""Below the step's state."""
_JOB: Final = "job"
_STATES: Final = {
    "none": "optimizer.pt",
    "fsdp": "pytorch_model_fsdp.bin",
    "deepspeed": "latest",
}
"""A file by which transformers' checkpoints of each kind are known."""


def launch(
    stage: TrainingStage,
    context: Context,
    student: Student,
    numerics: Numerics,
    rows: pa.Table,
    cluster: Cluster = ALONE,
) -> Checkpoints:
    """Train on `rows` to the end; returns the checkpoints, of which the newest is the result.

    Raises:
        RequestError, StepFailed, StoppedOnPurpose: as `fit`; StepFailed also where a process died.
    """
    checkpoints = Checkpoints(context.state / FOLDER)
    digests = {name: artifact.digest for name, artifact in context.inputs.items()}
    checkpoints.begin({"inputs": digests, "externals": dict(context.digests)})
    _refuse_other_pieces(checkpoints.latest(), cluster)
    with context.stop.deferred():
        if cluster == ALONE:
            bench = Bench(stage, context, student, numerics, rows, checkpoints.folder, main=True)
            fit(stage, bench)
        else:
            _launch_processes(stage, context, numerics, rows, cluster)
    return checkpoints


def _launch_processes(
    stage: TrainingStage, context: Context, numerics: Numerics, rows: pa.Table, cluster: Cluster
) -> None:
    from .job import write_job
    from .launcher import run_processes

    folder = context.state / _JOB
    write_job(folder, stage, context, numerics, cluster.sharding, rows)
    run_processes(folder, cluster, numerics, context)


def _refuse_other_pieces(last: Path | None, cluster: Cluster) -> None:
    """Optimizer states in pieces are read by none but what cut them."""
    if last is None or (last / _STATES[cluster.sharding]).exists():
        return
    kinds = [kind for kind, file in _STATES.items() if (last / file).exists()]
    if kinds:
        raise RequestError(
            f"the checkpoints of this training were written with another way of sharing out the "
            f"model ({kinds[0]}; now {cluster.sharding}). Go on with that one (accelerate), or "
            f"remove {last.parent} to begin anew."
        )
