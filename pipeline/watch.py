"""Listening to a step's process: its events, its end, and the wishes to stop it.

What the step wants a user to see comes as events; its result or its error is the last one. The
first wish to stop (Ctrl-C, SIGTERM or the end of the budget's time) is passed on to the step
alone, as SIGTERM: one that defers it (`stopping.py`) has all the time it needs, any other ten
seconds. The second wish kills the step's group at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import PotstillError, StepFailed, StoppedOnPurpose
from .interrupts import Interrupts
from .progress import Event
from .stage import Metrics
from .step_process import ERRORS, INTERRUPTED

if TYPE_CHECKING:
    from .process import StepTask

GRACE_SECONDS = 10.0
"""How long a step that does not defer may take to stop before its group is killed."""
LOOK_SECONDS = 1.0
"""How long a dead process may go unnoticed if a child of it holds the pipe open."""


class Watch:
    """One step's process as the runner sees it: its events, and the wishes to stop it."""

    def __init__(
        self,
        task: StepTask,
        process: BaseProcess,
        events: Connection,
        interrupts: Interrupts,
        on_event: Callable[[Event], None],
    ) -> None:
        self._task, self._process, self._events = task, process, events
        self._interrupts, self._on_event = interrupts, on_event
        self._heard = 0
        self._why = ""
        """What asked the step to stop; empty while nothing did."""
        self._deferring = False
        self._kill_at: float | None = None

    def listen(self) -> Metrics:
        """Pass events on until the step has ended; returns its metrics."""
        with contextlib.suppress(EOFError):
            while True:
                # polars installs a SIGINT handler that restarts reads: only waiting is interrupted.
                wait([self._events, self._interrupts.reader], self._seconds())
                if self._events.poll():
                    event = self._events.recv()
                    if event["event"] == "result":
                        return dict(event["metrics"])
                    self._take(event)
                elif not self._process.is_alive() and not self._events.poll():
                    break
                self._heed_wishes()
        raise self._ended()

    def _take(self, event: Event) -> None:
        if event["event"] == "deferring":
            self._deferring = event["deferring"]
            self._kill_at = None if self._deferring else self._kill_at
        elif event["event"] == "error":
            if event["kind"] == INTERRUPTED:
                raise self._stopped()
            raise ERRORS[event["kind"]](event["message"])
        else:
            self._on_event(event)

    def _seconds(self) -> float:
        """How long nothing needs to be looked at but events and wishes."""
        until = [LOOK_SECONDS]
        if self._kill_at is not None:
            until.append(max(0.0, self._kill_at - time.monotonic()))
        left = self._task.budget.seconds_left
        if left is not None and not self._why:
            until.append(left)
        return min(until)

    def _heed_wishes(self) -> None:
        self._interrupts.heard()
        wishes, self._heard = self._interrupts.count - self._heard, self._interrupts.count
        if wishes and (self._why or wishes > 1):
            self._why = self._why or f"by {self._interrupts.last}"
            raise self._killed()
        if wishes:
            self._ask(f"by {self._interrupts.last}", "Ctrl-C again stops now")
        elif not self._why and self._task.budget.seconds_left == 0:
            self._ask("by --max-hours", "Ctrl-C stops now")
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            raise self._killed()

    def _ask(self, why: str, hint: str) -> None:
        self._why = why
        self._process.terminate()
        if self._deferring:
            self._on_event({"event": "note", "text": f"finishing what is in flight; {hint}"})
        else:
            self._kill_at = time.monotonic() + GRACE_SECONDS

    def _killed(self) -> StoppedOnPurpose:
        if self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        return self._stopped()

    def _stopped(self) -> StoppedOnPurpose:
        why = self._why or "from outside"
        return StoppedOnPurpose(
            f"stopped {why} in step {self._task.step!r}; run the same command to go on"
        )

    def _ended(self) -> PotstillError:
        """The error for a process that is gone without a last word."""
        self._process.join()
        if self._why:
            return self._stopped()
        code = self._process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        hint = " (out of memory?)" if code == -signal.SIGKILL else ""
        return StepFailed(
            f"the process of step {self._task.step!r} ended by {how}{hint} before it was done.\n"
            f"{last_lines(self._task.log)}Run the same command to go on. Log: {self._task.log}"
        )


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a step's log, indented, for an error message."""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        return "".join(f"  | {line[:200]}\n" for line in lines[-count - 1 :] if line.strip())
    return ""
