"""Where a training runs: in the step's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ...pipeline.stage import Context
from ..students.student import Student
from .bench import Bench
from .checkpoints import Checkpoints
from .fit import fit
from .numerics import Numerics

if TYPE_CHECKING:
    from ..training import TrainingStage


def launch(
    stage: TrainingStage, context: Context, student: Student, numerics: Numerics, rows: pa.Table
) -> Checkpoints:
    """Train on `rows` to the end; returns the checkpoints, of which the newest is the result."""
    checkpoints = Checkpoints(context.state / "checkpoints")
    digests = {name: artifact.digest for name, artifact in context.inputs.items()}
    checkpoints.begin({"inputs": digests, "externals": dict(context.digests)})
    bench = Bench(stage, context, student, numerics, rows, checkpoints.folder, main=True)
    with context.stop.deferred():
        fit(stage, bench)
    return checkpoints
