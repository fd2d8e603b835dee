"""Worker processes of crash tests: forks that run what real ones run (`worker_process.serve`).

A real one is a new interpreter, which spends most of a second on imports: ten times as long as all
else that a run of a crash test does. A fork finds them made. It is a process of its own like the
real one: told its jobs over a socket, killed with the thread that started it, and it holds nothing
open of what its parent has open. What it cannot have is another environment (PYTHONHASHSEED).
Real ones are killed with their runner in crash/test_real_processes.py.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from potstill.pipeline.worker_handle import START_SECONDS, WorkerHandle
from potstill.pipeline.worker_process import serve


class Forked:
    """A child of this process, with what a `WorkerHandle` asks of a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            ended = os.pidfd_open(self.pid)
            try:
                if not select.select([ended], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0)
            finally:
                os.close(ended)
        code = self.poll()
        assert code is not None
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def start_forked(assignment: bytes, cpu_seconds: float | None) -> WorkerHandle:
    """In the place of `start_worker`."""
    ours, theirs = socket.socketpair()
    progress = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the worker lives
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _work(theirs.fileno(), progress.fileno(), parent)
    theirs.close()
    connection: Connection[Any, Any] = Connection(ours.detach())
    connection.send_bytes(assignment)
    deadline = time.monotonic() + START_SECONDS
    process: Any = Forked(pid)
    return WorkerHandle(process, connection, progress, cpu_seconds, deadline)


def _work(jobs: int, progress: int, parent: int) -> NoReturn:
    """The child. An inherited descriptor would hold the work directory's lock beyond its parent."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        low, high = sorted((jobs, progress))
        os.closerange(3, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))
        serve(jobs, progress, parent)
        code = 0
    finally:
        os._exit(code)
