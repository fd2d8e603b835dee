"""The child's side of `workers.py`: one process that runs jobs and dies when it should.

It is started with `python -c` and told everything over one socket, so the user's main module is
never run a second time (scripts without a `__main__` guard, `python -m` and stdin are safe).

What ends it, even while it is stuck in C code that never returns to the interpreter:

* CPU: `ITIMER_PROF` counts this process's own CPU time and its SIGPROF kills by default action.
* Memory: RLIMIT_AS. Python turns a refused request into MemoryError; C code may abort.
* Orphaned: PR_SET_PDEATHSIG (Linux) kills it with the parent *thread* that started it. Elsewhere
  it ends at the next read, or at the latest when the CPU timer fires.

Outcomes go back a few at a time, since a message costs more than many a job. So that a death is the
fault of exactly one job all the same, the number of the job at hand stands in a file that outlives
the process (`progress`).

It protects against accidents in our own code fed with hostile text. It is not a sandbox for
hostile code, which could simply turn the timer off.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from .outcome import Done, OutOfMemory, Raised

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MESSAGE_LIMIT = 2000
_FLUSH_SECONDS = 0.002
"""Outcomes wait at most so long for others: 15 of the cheapest jobs, or one that takes its time."""
PROGRESS_BYTES = 4


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is for, sent once after it has started."""

    function: Callable[[Any], Any]
    initializer: Callable[[], None] | None
    cpu_seconds: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Ready:
    """First message of a worker: `problem` is None, or why its initializer failed."""

    problem: str | None = None


def serve(descriptor: int, progress: int, parent: int) -> None:
    """Run jobs from the socket until it closes. Called in the child only.

    Args:
        progress: descriptor of the file that says which job of its chunk is being worked on.
    """
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(2, 1)  # stdout is the parent's answer to its user; libraries may only write to stderr
    connection = Connection(descriptor)
    try:
        assignment: Assignment = connection.recv()
        if assignment.initializer is not None:
            assignment.initializer()
    except BaseException as error:  # told to the parent, which raises it with what to do
        connection.send(Ready(f"{type(error).__name__}: {_message(error)}"))
        return
    gc.freeze()  # what the imports made stays: collections need not look at it again
    if assignment.memory_bytes is not None:
        _limit_memory(assignment.memory_bytes)
    connection.send(Ready())
    try:
        while True:
            _run_chunk(assignment, connection.recv(), connection, progress)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent closed the pool, or is gone


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends (Linux only)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the request was made
        os._exit(1)


def _run_chunk(
    assignment: Assignment, jobs: list[Any], connection: Connection[Any, Any], progress: int
) -> None:
    """Run the jobs of a message and send their outcomes, in order."""
    waiting: list[bytes] = []
    sent = time.monotonic()
    for number, job in enumerate(jobs, start=1):
        os.pwrite(progress, (number - 1).to_bytes(PROGRESS_BYTES, "little"), 0)
        outcome = _call(assignment, job)
        waiting.append(_pickled(outcome))
        late = time.monotonic() - sent > _FLUSH_SECONDS
        if late or number == len(jobs) or isinstance(outcome, OutOfMemory):
            signal.setitimer(signal.ITIMER_PROF, 0)  # what comes now is no job's own time
            connection.send(waiting)
            waiting, sent = [], time.monotonic()


def _pickled(outcome: Done[Any] | Raised | OutOfMemory) -> bytes:
    """An outcome as bytes; a value that cannot be pickled is the function's fault."""
    try:
        return pickle.dumps(outcome)
    except Exception as error:
        return pickle.dumps(Raised(type(error).__name__, _message(error)))


def _call(assignment: Assignment, job: Any) -> Done[Any] | Raised | OutOfMemory:
    """Every exception becomes data, which the parent judges."""
    signal.setitimer(signal.ITIMER_PROF, assignment.cpu_seconds or 0)
    try:
        return Done(assignment.function(job))
    except MemoryError:
        return OutOfMemory(assignment.memory_bytes or 0)
    except BaseException as error:  # SystemExit too, and classes derived from BaseException
        return Raised(type(error).__name__, _message(error))


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MESSAGE_LIMIT]
    except Exception as second:  # __str__ of a foreign exception is code like any other
        return f"(its message could not be shown: {type(second).__name__})"


def _limit_memory(extra: int) -> None:
    """Allow `extra` bytes of address space beyond what the start and the imports have taken."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space() + extra
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _address_space() -> int:
    """Bytes of address space in use; 0 without /proc (macOS, which keeps no RLIMIT_AS either)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return 0
