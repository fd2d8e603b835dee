"""The parent's hold on one worker process: start it, hear from it, tell how it ended, kill it.

What the child does is in `worker_process.py`; who gets which job is in `workers.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import IO, Any

from .outcome import Crashed, Outcome, Raised, TimedOut
from .worker_process import PROGRESS_BYTES, Assignment, Ready

START_SECONDS = 300.0
"""Wall seconds a worker may take to start: imports from a cold network disk are slow."""
_DYING_SECONDS = 1.0
"""A closed socket means that the process is ending; this long it may take."""
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
"""Set iteration order must not decide a verdict, and N workers must not start N x cores threads."""
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    f"from {__name__.rpartition('.')[0]}.worker_process import serve; "
    "serve(*map(int, sys.argv[2:]))"
)


@dataclass(eq=False)
class WorkerHandle:
    """One process and what it is doing."""

    process: subprocess.Popen[bytes]
    connection: Connection[Any, Any]
    progress: IO[bytes]
    """Holds the number of the job that it is working on, within its chunk."""
    cpu_seconds: float | None
    deadline: float | None
    """Monotonic time by which the next message must come; None while nothing is expected."""
    ready: bool = False
    served: int = 0
    """Jobs it has answered: one that has served none cannot be spoilt by a neighbour."""
    jobs: deque[int] = field(default_factory=deque)
    """Indices in flight, in order."""
    answered: int = 0
    """Outcomes of the present chunk that have come."""

    def give(self, indices: list[int], jobs: list[Any]) -> None:
        """Send a chunk; it must be idle.

        Raises:
            OSError: it has died.
        """
        os.pwrite(self.progress.fileno(), bytes(PROGRESS_BYTES), 0)
        self.jobs.extend(indices)
        self.answered = 0
        self.connection.send(jobs)

    def hear(self) -> Ready | list[Outcome[Any]] | TimedOut | Crashed:
        """The next message, or how the process ended instead."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            return self._cause(self._exit_code())
        if isinstance(message, Ready):
            return message
        self.answered += len(message)
        return [_unpickled(outcome) for outcome in message]

    def finished_unheard(self) -> int:
        """How many jobs in flight it finished before the one it died on, untold."""
        number = os.pread(self.progress.fileno(), PROGRESS_BYTES, 0)
        return int.from_bytes(number, "little") - self.answered

    def silent_death(self) -> TimedOut | Crashed | None:
        """How it ended, if it did without closing its socket (a fork may hold the other end)."""
        code = self.process.poll()
        return None if code is None or self.connection.poll() else self._cause(code)

    def end(self) -> None:
        """Kill it and wait: a worker holds nothing worth saving."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
        self.progress.close()

    def _exit_code(self) -> int:
        try:
            return self.process.wait(timeout=_DYING_SECONDS)
        except subprocess.TimeoutExpired:  # it closed its socket but lives on
            self.process.kill()
            return self.process.wait()

    def _cause(self, code: int) -> TimedOut | Crashed:
        if code == -signal.SIGPROF and self.cpu_seconds is not None:
            return TimedOut(self.cpu_seconds)
        if code < 0:
            return Crashed(f"killed by {signal.Signals(-code).name}")
        return Crashed(f"exited with status {code}")


def _unpickled(outcome: bytes) -> Outcome[Any]:
    try:
        found: Outcome[Any] = pickle.loads(outcome)
    except Exception as error:  # a result whose class cannot be rebuilt here
        return Raised(type(error).__name__, str(error))
    return found


def pickled(assignment: Assignment) -> bytes:
    """The assignment for a worker.

    Raises:
        ValueError: its function has no name that another process could import.
    """
    function = assignment.function
    if getattr(function, "__module__", None) == "__main__":
        raise ValueError(f"{function!r} is defined in the main script; put it in a module")
    try:
        return pickle.dumps(assignment)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{function!r} cannot be named to a worker process ({error}); "
            "expected a function at the top level of a module"
        ) from error


def start_worker(assignment: bytes, cpu_seconds: float | None) -> WorkerHandle:
    """Start a process and tell it its assignment; it says `Ready` when it is."""
    ours, theirs = socket.socketpair()
    progress = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the worker lives
    with theirs:
        descriptors = [theirs.fileno(), progress.fileno()]
        arguments = [json.dumps(sys.path), *map(str, [*descriptors, os.getpid()])]
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, *arguments],
            stdin=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
            pass_fds=descriptors,
        )
    connection: Connection[Any, Any] = Connection(ours.detach())
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.send_bytes(assignment)  # if it is dead already, `hear` says so
    deadline = time.monotonic() + START_SECONDS
    return WorkerHandle(process, connection, progress, cpu_seconds, deadline)
