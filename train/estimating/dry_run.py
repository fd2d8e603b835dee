"""A training that is prepared and looked at in its place: `potstill train … --dry-run`.

It is a step like any other, in a work directory of its own that is gone afterwards, so data is
read and refused exactly as the training would do it, in a process that Ctrl-C ends. The metrics of
this step are the estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

from pydantic import SerializeAsAny

from ...pipeline.plan import make_plan
from ...pipeline.progress import Event
from ...pipeline.recipe import Recipe
from ...pipeline.runner import build
from ...pipeline.stage import Context, Metrics, Stage
from ..one_step import DRY_RUN
from ..training import TrainingStage
from .disk import disk_of
from .duration import duration_of
from .machine import available_memory, free_space
from .memory import memory_of
from .subject import Subject

NOT_COUNTED: Final = {
    "dpo": "the reference model: its copy (without LoRA) and its forward passes",
    "grpo": "writing and judging completions, the reference model",
    "distill": "the teacher's forward passes",
}
"""By kind, what memory and operations leave out."""


class DryRun(Stage):
    """Prepares a training and tells what it would need."""

    kind: ClassVar[str] = DRY_RUN
    makes: ClassVar[str] = "estimate"

    training: SerializeAsAny[TrainingStage]

    def run(self, context: Context) -> Metrics:
        """Prepare, count and measure.

        Raises:
            RequestError: whatever the training would refuse before its first step.
        """
        begun = self.training.begin(context)
        subject = Subject(self.training, context, begun.student, begun.numerics, begun.prepared)
        return {**facts_of(subject), "sharding": begun.cluster.sharding}


def facts_of(subject: Subject) -> dict[str, Any]:
    """The estimate, as JSON values; sizes in bytes, times in seconds."""
    memory, parameters = memory_of(subject), subject.parameters
    available, highest = available_memory(subject.numerics), memory.highest(subject.accumulates)
    fits = 2 * memory.known <= available
    return {
        "data": subject.prepared.metrics,
        "steps": subject.steps,
        "parameters": {"total": parameters.total, "trained": parameters.trained},
        "memory": {**asdict(memory), "highest": highest, "available": available},
        "time": asdict(duration_of(subject, fits)),
        "disk": disk_of(subject),
        "not_counted": NOT_COUNTED.get(subject.stage.kind),
        "numerics": asdict(subject.numerics),
    }


def dry_run(
    recipe: Recipe, step: str, work: Path, workers: int, listen: Callable[[Event], None]
) -> dict[str, Any]:
    """The estimate for a step of a recipe; nothing is written into the work directory.

    Raises:
        RequestError, StepFailed, StoppedOnPurpose: as the training would.
    """
    training = recipe.steps[step]
    assert isinstance(training, TrainingStage)
    looked_at = replace(recipe, steps={**recipe.steps, step: DryRun(training=training)})
    with TemporaryDirectory(prefix="potstill-") as scratch:
        plan = make_plan(looked_at, Path(scratch))
        facts = build(plan, workers=workers, listen=listen)[step].metrics
    facts["disk"]["free"] = free_space(work.absolute())
    return facts
