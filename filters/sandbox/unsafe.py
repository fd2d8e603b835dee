"""Programs without isolation: as processes of this user, who may do all that the user may.

For machines where no isolation can be made and programs are known to be harmless, such as a test of
a recipe with one's own solutions. Only the long sentence in `backends.py` leads here, and every set
of verdicts records it. The modules of `inside/`, the protocol and the limits of time, memory and
output are those of the sandbox, so verdicts on harmless programs are the same; a program that wants
to harm, lie or stay behind can. Every process is alone and starts an interpreter: slow, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from .execution import Ending, Execution, Report, RunnerMissing, SandboxFault, Script
from .inside.python_job import MEMORY_EXIT
from .isolation import ENVIRONMENT, job_text
from .settings import Settings
from .streams import sealed, watch

_LEAVING_SECONDS: Final = 5.0
_START: Final = f"""
import json, os, sys
sys.path.append({str(Path(__file__).parent)!r})
from inside.python_job import MEMORY_EXIT, new_streams, run
from inside.zygote import VALUES, limit
sys.path.pop()

job_file, values, others = json.loads(sys.argv[1])
job = json.loads(os.read(job_file, os.fstat(job_file).st_size))
os.dup2(values, VALUES)
os.closerange(VALUES + 1, 64)
limit(job["limits"]["cpu_seconds"], others)
os.environ.clear()
new_streams()
try:
    status = run(job)
except MemoryError:
    status = MEMORY_EXIT
os._exit(status)
"""


class UnsafeProcesses:
    """A `Sandbox` that is none."""

    def __init__(self, settings: Settings) -> None:
        self._python = settings.python or sys.executable

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held between programs."""

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run a program; see `execution.Sandbox`. Every one is alone anyway."""
        if execution.language != "python":
            raise RunnerMissing(f"without isolation Python alone is run, not {execution.language}")
        limits = execution.limits
        deadline = time.monotonic() + limits.wall_seconds
        with tempfile.TemporaryDirectory(prefix="potstill-unsafe-") as folder:
            process, pipes = self._started(execution, folder)
            try:
                (stdout, stderr, values), cut = watch(pipes, limits.output_kb << 10, deadline)
            finally:
                for pipe in pipes:
                    os.close(pipe)
            status = _ended(process, None if cut else deadline)
        ending, code = _ending(status)
        return Report(cut or ending, 0 if cut else code, stdout, stderr, values)

    def _started(
        self, execution: Execution, folder: str
    ) -> tuple[subprocess.Popen[bytes], list[int]]:
        """The process, and where what it writes can be read: stdout, stderr, values."""
        task = execution.task
        stdin = task.stdin if isinstance(task, Script) else ""
        job, given = sealed(job_text(execution)), sealed(stdin.encode("utf-8", "surrogatepass"))
        (out, write_out), (err, write_err), (values, write_values) = (os.pipe() for _ in range(3))
        order = json.dumps([job, write_values, _resources(execution)])
        try:
            process = subprocess.Popen(
                [self._python, "-P", "-s", "-B", "-c", _START, order],
                stdin=given,
                stdout=write_out,
                stderr=write_err,
                pass_fds=[job, write_values],
                cwd=folder,
                env=dict(ENVIRONMENT),
                start_new_session=True,
            )
        except OSError as error:
            for pipe in (out, err, values):
                os.close(pipe)
            raise SandboxFault(f"{self._python} could not be started: {error}") from error
        finally:
            for descriptor in (job, given, write_out, write_err, write_values):
                os.close(descriptor)
        return process, [out, err, values]


def _resources(execution: Execution) -> dict[str, int]:
    """Limits beside CPU time; not of the number of processes, which is the user's."""
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    memory = execution.limits.memory_mb << 20
    return {"RLIMIT_AS": memory, "RLIMIT_FSIZE": 16 << 20, "RLIMIT_NPROC": most}


def _ended(process: subprocess.Popen[bytes], deadline: float | None) -> int | None:
    """Exit status, or minus a signal; None: it lived on and was killed. Its group dies with it."""
    lived_on = False
    if deadline is not None:
        try:
            process.wait(max(deadline - time.monotonic(), 0) + _LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            lived_on = True
    with contextlib.suppress(ProcessLookupError):  # nobody of it is left
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    return None if lived_on else status


def _ending(status: int | None) -> tuple[Ending, int]:
    """How a process ended by itself, or at the limit of CPU time that the kernel keeps."""
    if status is None:
        return "wall", 0
    if status >= 0:
        return ("memory", 0) if status == MEMORY_EXIT else ("exit", status)
    at_limit = -status in (signal.SIGKILL, signal.SIGXCPU)
    return ("cpu", 0) if at_limit else ("signal", -status)
