"""A step runs in a process group of its own, so that its memory and its children end with it.

A guardian is forked first: it waits on a pipe whose other end only the runner holds. When the
runner dies, even by kill -9, the kernel closes that end and the guardian kills the whole group:
engine, trainer, workers and all (vLLM's children otherwise live on). What the step prints goes to
a log file; what it wants a user to see comes back as events. The parallel workers *inside* a step
are `workers.py`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from .artifact import Artifact
from .errors import PotstillError, RequestError, StepFailed, StoppedOnPurpose
from .external import External
from .filter import Filter
from .progress import Event, Progress
from .stage import Context, Metrics, Stage

GRACE_SECONDS = 10.0
"""How long a step may take to stop by itself before its group is killed."""

_ERRORS = {"request": RequestError, "failed": StepFailed, "stopped": StoppedOnPurpose}


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

    def context(self, progress: Progress) -> Context:
        """The context of the step's run; fetches hub snapshots that are not here yet."""
        return Context(
            step=self.step,
            out=self.out,
            inputs=self.inputs,
            filters=self.filters,
            paths={name: external.fetch() for name, external in self.externals.items()},
            digests={name: external.digest for name, external in self.externals.items()},
            journal=self.journal,
            workers=self.workers,
            progress=progress,
            limit=self.limit,
            siblings=self.siblings,
        )


def run_in_process(
    task: StepTask, on_event: Callable[[Event], None], on_start: Callable[[int], None]
) -> Metrics:
    """Run a step to its end; returns its metrics.

    Args:
        on_event: gets every progress event of the step.
        on_start: gets the process group's id once it runs.

    Raises:
        RequestError, StepFailed, StoppedOnPurpose: as raised in the step.
        KeyboardInterrupt: the runner was interrupted; the step's group is gone by then.
    """
    spawn = multiprocessing.get_context("spawn")
    events, child_events = spawn.Pipe(duplex=False)
    child_alive, alive = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_step_main, args=(task, child_events, child_alive))
    process.start()
    child_events.close()
    child_alive.close()
    try:
        on_start(process.pid or 0)
        return _listen(task, process, events, on_event)
    finally:
        _end(process)
        alive.close()  # the guardian now ends whatever is left of the group
        events.close()


def _listen(
    task: StepTask, process: BaseProcess, events: Connection, on_event: Callable[[Event], None]
) -> Metrics:
    with contextlib.suppress(EOFError):
        while True:
            # polars installs a SIGINT handler that restarts reads; only waiting can be interrupted.
            wait([events])
            event = events.recv()
            if event["event"] == "result":
                return dict(event["metrics"])
            if event["event"] == "error":
                raise _ERRORS[event["kind"]](event["message"])
            on_event(event)
    process.join()
    code = process.exitcode or 0
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    hint = " (out of memory?)" if code == -signal.SIGKILL else ""
    raise StepFailed(
        f"the process of step {task.step!r} ended by {how}{hint} before it was done.\n"
        f"{last_lines(task.log)}Run the same command to go on. Log: {task.log}"
    )


def _end(process: BaseProcess) -> None:
    process.join(timeout=0.5)
    if process.is_alive():
        process.terminate()
        process.join(timeout=GRACE_SECONDS)
    if process.is_alive():
        process.kill()
    process.join()


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a step's log, indented, for an error message."""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        return "".join(f"  | {line[:200]}\n" for line in lines[-count - 1 :] if line.strip())
    return ""


def _step_main(task: StepTask, events: Connection, alive: Connection) -> None:
    os.setsid()
    _start_guardian(alive)
    _redirect_output(task.log)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides, and says so by SIGTERM
    try:
        context = task.context(Progress(events.send))
        events.send({"event": "result", "metrics": task.stage.run(context)})
    except PotstillError as error:
        traceback.print_exc()
        kinds = {cls: kind for kind, cls in _ERRORS.items()}
        kind = next((kinds[cls] for cls in type(error).__mro__ if cls in kinds), "failed")
        events.send({"event": "error", "kind": kind, "message": str(error)})
    except BaseException as error:
        traceback.print_exc()
        events.send({"event": "error", "kind": _kind_of(error), "message": _tell(task, error)})


def _stop(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _kind_of(error: BaseException) -> str:
    return "stopped" if isinstance(error, KeyboardInterrupt) else "failed"


def _tell(task: StepTask, error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"step {task.step!r} was stopped; the same command goes on from here"
    first = (str(error).strip().splitlines() or ["no message"])[0][:500]
    return f"step {task.step!r} failed: {type(error).__name__}: {first}. Traceback: {task.log}"


def _start_guardian(alive: Connection) -> None:
    """Fork the process that outlives nobody: it kills the group when the runner is gone."""
    descriptor = alive.fileno()
    if os.fork():
        alive.close()
        return
    try:
        os.closerange(0, descriptor)
        os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.read(descriptor, 1)
    finally:
        os.killpg(0, signal.SIGKILL)


def _redirect_output(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
