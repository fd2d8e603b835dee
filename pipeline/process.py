"""A step runs in a process of its own, watched by the runner: this is the runner's side.

Its memory and its children end with it: `alive` is a pipe that only the runner holds open, and the
step's guardian kills the whole group when it is closed, however the runner ends. Listening to the
step is `watch.py`, its inside is `step_process.py`; the parallel workers *inside* a step are
`workers.py`.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path

from .artifact import Artifact
from .budget import Budget
from .external import External
from .filter import Filter
from .interrupts import Interrupts, blocked
from .progress import Event, Progress
from .stage import Context, Metrics, Stage
from .step_process import step_main
from .stopping import StopSignal
from .watch import GRACE_SECONDS, Watch


@dataclass(frozen=True)
class StepTask:
    """All that a step's process needs, picklable."""

    step: str
    stage: Stage
    out: Path
    inputs: Mapping[str, Artifact]
    filters: Mapping[str, Filter]
    externals: Mapping[str, External]
    journal: Path
    log: Path
    workers: int
    limit: int | None
    siblings: tuple[Path, ...]
    budget: Budget = field(default_factory=Budget)

    def context(self, progress: Progress, stop: StopSignal) -> Context:
        """The context of the step's run; fetches models of the hub that are not here yet."""
        return Context(
            step=self.step,
            out=self.out,
            inputs=self.inputs,
            filters=self.filters,
            paths={
                name: each.fetch() for name, each in self.externals.items() if not each.is_streamed
            },
            digests={name: external.digest for name, external in self.externals.items()},
            journal=self.journal,
            workers=self.workers,
            progress=progress,
            limit=self.limit,
            siblings=self.siblings,
            stop=stop,
            budget=self.budget,
        )


def run_in_process(
    task: StepTask,
    on_event: Callable[[Event], None],
    on_start: Callable[[int], None],
    interrupts: Interrupts | None = None,
) -> Metrics:
    """Run a step to its end; returns its metrics.

    Args:
        on_event: gets every progress event of the step.
        on_start: gets the process group's id once it runs.
        interrupts: counts the wishes to stop. One that the step was too near its end to heed is
            counted there still: the caller decides what it means.

    Raises:
        RequestError, StepFailed, StoppedOnPurpose: as raised in the step; the last also where it
            was made to stop. Its group is gone by then.
    """
    spawn = multiprocessing.get_context("spawn")
    with interrupts or Interrupts() as wishes:
        events, child_events = spawn.Pipe(duplex=False)
        child_alive, alive = spawn.Pipe(duplex=False)
        process = spawn.Process(target=step_main, args=(task, child_events, child_alive))
        _start(process)
        child_events.close()
        child_alive.close()
        try:
            on_start(process.pid or 0)
            return Watch(task, process, events, wishes, on_event).listen()
        finally:
            _end(process)
            alive.close()  # the guardian now ends whatever is left of the group
            events.close()


def _start(process: BaseProcess) -> None:
    """Start it with SIGINT blocked: a terminal's Ctrl-C reaches it until it has its own group."""
    resource_tracker.ensure_running()  # or its start would unblock the signal
    with blocked(signal.SIGINT):
        process.start()


def _end(process: BaseProcess) -> None:
    process.join(timeout=0.5)
    if process.is_alive():
        process.terminate()
        process.join(timeout=GRACE_SECONDS)
    if process.is_alive():
        process.kill()
    process.join()
