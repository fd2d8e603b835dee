"""The inside of a step's process: its group, its guardian, its log, and how it ends.

A guardian is forked first: it waits on a pipe whose other end only the runner holds. When the
runner dies, even by kill -9, the kernel closes that end and the guardian kills the whole group:
engine, trainer, workers and all (vLLM's children otherwise live on). What the step prints goes to
a log file; what it wants a user to see goes to the runner as events (`process.py`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .disk import disk_failure
from .errors import PotstillError, RequestError, StepFailed, StoppedOnPurpose
from .progress import Event, Progress
from .stopping import StopSignal

if TYPE_CHECKING:
    from .process import StepTask

ERRORS: dict[str, type[PotstillError]] = {
    "request": RequestError,
    "failed": StepFailed,
    "stopped": StoppedOnPurpose,
}
INTERRUPTED = "interrupted"
"""How an error event calls the end of a step that was asked to stop and had no words of its own."""

SAME_WISH_SECONDS = 0.3
"""A service manager or a batch system signals every process of a job, and the runner passes its
own signal on: two that come together are one wish."""


def step_main(task: StepTask, events: Connection, alive: Connection) -> None:
    """Run the step; the runner is told its metrics or its error as the last event."""
    os.setsid()
    # The runner decides, and says so by SIGTERM. Until now SIGINT was blocked (`process.py`).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    send = _Sender(events)
    stop = StopSignal(lambda deferring: send({"event": "deferring", "deferring": deferring}))
    try:
        _start_guardian(alive)
        _redirect_output(task.log)
    except OSError as error:
        send(_error_event(task, error, stop))  # and no traceback: there is no log for it
        return
    try:
        signal.signal(signal.SIGTERM, _passing_on(stop))
        metrics = task.stage.run(task.context(Progress(send), stop))
        send({"event": "result", "metrics": metrics})
    except BaseException as error:
        send(_error_event(task, error, stop))
        traceback.print_exc()


class _Sender:
    """A pipe's end that several threads of a step may use."""

    def __init__(self, events: Connection) -> None:
        self._events = events
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._events.send(event)


def _passing_on(stop: StopSignal) -> Callable[[int, Any], None]:
    last = -SAME_WISH_SECONDS

    def handle(signum: int, frame: Any) -> None:
        nonlocal last
        now = time.monotonic()
        together, last = now - last < SAME_WISH_SECONDS, now
        if not together:
            stop.request()

    return handle


def _error_event(task: StepTask, error: BaseException, stop: StopSignal) -> Event:
    if isinstance(error, OSError):
        error = disk_failure(error, error.filename or f"a file of step {task.step!r}") or error
    if isinstance(error, PotstillError):
        kind = next((kind for kind, known in ERRORS.items() if isinstance(error, known)), "failed")
        return {"event": "error", "kind": kind, "message": str(error)}
    # Libraries turn an interrupt into errors of their own.
    if stop.requested or isinstance(error, KeyboardInterrupt):
        return {"event": "error", "kind": INTERRUPTED, "message": ""}
    first = (str(error).strip().splitlines() or ["no message"])[0][:500]
    text = f"step {task.step!r} failed: {type(error).__name__}: {first}. Traceback: {task.log}"
    return {"event": "error", "kind": "failed", "message": text}


def _start_guardian(alive: Connection) -> None:
    """Fork the process that outlives nobody: it kills the group when the runner is gone."""
    descriptor = alive.fileno()
    if os.fork():
        alive.close()
        return
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.closerange(0, descriptor)
        os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
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
