"""One isolation with a zygote in it: start it, run programs in it one by one, end it.

The talk with the zygote is described in `inside/zygote.py`. What it says of a program's end is
trusted as far as the kernel keeps programs away from it; all else that comes out are a program's
own bytes.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from .bubblewrap import Inside, ended, start
from .cgroup import ControlGroups
from .execution import Calls, Ending, Execution, Report, SandboxFault, Script
from .inside.python_job import MEMORY_EXIT
from .inside.zygote import READY, REPORT
from .interpreter import PACKAGES, bound, installed, interpreter
from .seccomp import program_filter, zygote_filter
from .settings import Settings
from .streams import sealed, watch

START_SECONDS: Final = 60.0
"""A start takes 0.1 s; on a machine with everything else running, it takes what it takes."""
_REAP_SECONDS: Final = 5.0
_BESIDE_MB: Final = 256
"""In the control group beside a program's own memory: the zygote, /tmp and pipes."""
_PROCESSES: Final = 128
INSIDE: Final = (str(Path(__file__).with_name("inside")), "/potstill/inside")
"""Where the modules around programs are, here and there."""
_BOOT: Final = (
    f"import sys; sys.path += ['/potstill', {PACKAGES!r}]; from inside import {{0}} as job; "
    "sys.path.remove('/potstill'); "
)
PYTHON_BOOT: Final = _BOOT.format("python_job") + "job.main(sys.argv[1:])"
NATIVE_BOOT: Final = _BOOT.format("native_job") + "import json; job.main(json.loads(sys.argv[1]))"
ENVIRONMENT: Final = (
    ("PYTHONHASHSEED", "0"),  # the order of a set must not decide a verdict; -I would ignore it
    ("PYTHONUTF8", "1"),
    ("OMP_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("MALLOC_ARENA_MAX", "1"),  # each reserves 64 MiB of the address space, one for every thread
)
"""Of the zygote while it starts; programs have none."""


Start = Callable[[int, bytes, ControlGroups], subprocess.Popen[bytes]]
"""Starts a zygote that talks over a descriptor, under a system call filter, in control groups."""


class Isolation:
    """A process under bubblewrap in which a zygote waits for programs.

    Raises:
        SandboxFault: it could not be made; says why.
    """

    def __init__(self, start_zygote: Start) -> None:
        self._groups = ControlGroups.make()
        self._groups.limit_processes(_PROCESSES)
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = start_zygote(theirs.fileno(), zygote_filter(), self._groups)
        except SandboxFault:
            self._control.close()
            self._groups.remove()
            raise
        self._greet()

    def _greet(self) -> None:
        """Hand over the filter for the children and wait until the zygote is ready."""
        self._control.settimeout(START_SECONDS)
        try:
            self._control.sendall(program_filter())
            if self._control.recv(5, socket.MSG_WAITALL) == b"ready":
                return
            problem = "it ended while it started"
        except OSError as error:
            problem = str(error)
        told = self.end()
        raise SandboxFault(told or problem)

    def run(self, execution: Execution) -> tuple[Report, bool]:
        """Run one program; also whether the isolation is as good as before.

        Raises:
            OSError, EOFError: the zygote is gone; use this no more.
        """
        self._groups.limit_memory(execution.limits.memory_mb + _BESIDE_MB)
        killed = self._groups.kills()
        try:
            return self._run(execution, killed)
        except (OSError, EOFError):
            if self._groups.kills() > killed:  # it took all of us with it
                return Report("memory"), False
            raise

    def _run(self, execution: Execution, killed: int) -> tuple[Report, bool]:
        limits = execution.limits
        deadline = time.monotonic() + limits.wall_seconds
        pipes = self._hand_over(execution)
        try:
            (stdout, stderr, values), cut = watch(pipes, limits.output_kb << 10, deadline)
        finally:
            for pipe in pipes:
                os.close(pipe)
        status, left = self._reap(cut is not None, deadline)
        if not values.startswith(READY):
            raise EOFError("the process of a program could not be set up")
        values = values.removeprefix(READY)
        if cut is not None:
            return Report(cut, 0, stdout, stderr, values), False
        ending, code = _ending(status, self._groups.kills() > killed)
        return Report(ending, code, stdout, stderr, values), ending == "exit" and not left

    def _hand_over(self, execution: Execution) -> list[int]:
        """Give a child its descriptors; what it writes comes out of the pipes returned."""
        task = execution.task
        stdin = task.stdin if isinstance(task, Script) else ""
        given = [sealed(job_text(execution)), sealed(stdin.encode("utf-8", "surrogatepass"))]
        pipes = []
        for _ in range(3):
            ours, theirs = os.pipe()
            pipes.append(ours)
            given.append(theirs)
        try:
            socket.send_fds(self._control, [b"J"], given)
        finally:
            for descriptor in given:
                os.close(descriptor)
        return pipes

    def _reap(self, kill: bool, deadline: float) -> tuple[int | None, int]:
        """Wait status (None: it closed its pipes and lived on), and things left in its folder."""
        self._control.settimeout(_REAP_SECONDS + max(deadline - time.monotonic(), 0))
        self._control.sendall(b"K" if kill else b"R")
        try:
            answer = self._control.recv(REPORT.size, socket.MSG_WAITALL)
        except TimeoutError:
            return None, 0
        if len(answer) < REPORT.size:
            raise EOFError("the process that forks is gone")
        status, left = REPORT.unpack(answer)
        return status, left

    def end(self) -> str:
        """End everything inside; what bubblewrap said of its own."""
        self._control.close()
        told = ended(self._process)
        self._groups.remove()
        return told


def start_in_bubblewrap(settings: Settings) -> Start:
    """Starts zygotes under bubblewrap."""
    executable = interpreter(settings.python).executable
    inside = Inside(
        command=[executable, "-P", "-s", "-S", "-B", "-c", PYTHON_BOOT, *settings.packages],
        read_only=[INSIDE, *bound(settings.python, settings.packages)],
        hidden=installed(settings.python),
        environment=ENVIRONMENT,
    )

    def start_zygote(
        control: int, system_calls: bytes, groups: ControlGroups
    ) -> subprocess.Popen[bytes]:
        return start(inside, system_calls, groups, control, subprocess.DEVNULL)

    return start_zygote


def job_text(execution: Execution) -> bytes:
    """A job as `inside/zygote.py` reads it."""
    task = execution.task
    if isinstance(task, Calls):
        calls = [{"args": call.args, "kwargs": dict(call.kwargs or {})} for call in task.calls]
        asked: dict[str, Any] = {
            "kind": "calls",
            "entry_point": task.entry_point,
            "calls": calls,
        }
    elif isinstance(task, Script):
        asked = {"kind": "script"}
    else:
        asked = {"kind": "asserts", "entry_point": task.entry_point, "check": task.check}
    job = {"code": execution.code, "task": asked, "limits": asdict(execution.limits)}
    return json.dumps(job).encode()


def _ending(status: int | None, out_of_memory: bool) -> tuple[Ending, int]:
    """How a process ended by itself or at a limit that the kernel keeps.

    Inside nobody may signal, so a kill is the kernel's, for memory or for CPU time. Whatever a
    program can bring about is held against it: nothing here is a fault of the sandbox.
    """
    if status is None:
        return "wall", 0
    if os.WIFEXITED(status):
        code = os.WEXITSTATUS(status)
        return ("memory", 0) if code == MEMORY_EXIT else ("exit", code)
    number = os.WTERMSIG(status)
    if number == signal.SIGKILL and out_of_memory:
        return "memory", 0
    return ("cpu", 0) if number in (signal.SIGKILL, signal.SIGXCPU) else ("signal", number)
