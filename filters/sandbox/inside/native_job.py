"""A child that becomes a compiler, or a program in another language than Python.

It writes the program's text to a file, if it is told to, limits itself, installs the system call
filter of this step and turns into the command. A compiler is waited for, and the one file that it
made goes out through the values channel, as bytes that nobody outside reads as anything.

What to run comes as one argument of JSON: the same for all jobs of this sandbox. Nothing is kept
from job to job.
"""

from __future__ import annotations

import base64
import os
import resource
import shutil
import signal
from typing import Any

from .zygote import READY, VALUES, Install, installer, limit, serve, taken

GIVEN, PROGRAM = "/program", "/tmp/program"
"""What a compiler made, as it is given (it cannot be started there), and where it is started."""
CANNOT_RUN = 127
"""Exit status of a child whose compiler or runtime could not be started, as shells have it."""


def main(order: dict[str, Any]) -> None:
    """Serve jobs of one step; the filter for Python programs is not the one that they get."""
    install = installer(base64.b64decode(order["filter"]))

    def child(descriptors: list[int], _: Install) -> None:
        _be_a_child(descriptors, install, order)

    serve(child)


def _be_a_child(descriptors: list[int], install: Install, order: dict[str, Any]) -> None:
    """Become the compiler or the program. Never returns."""
    status = CANNOT_RUN
    try:
        job = taken(descriptors)
        limit(job["limits"]["cpu_seconds"], _limits(job["limits"]["memory_mb"], order))
        install()
        os.write(VALUES, READY)
        _bring(job["code"], order)
        if order["result"]:
            status = _compile(order)
        else:
            _become(order)
    except OSError as error:
        os.write(2, f"{order['command'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(status)


def _limits(memory_mb: int, order: dict[str, Any]) -> dict[str, int]:
    mebibyte = 1 << 20
    return {
        "RLIMIT_AS": resource.RLIM_INFINITY,  # a worker's own may have been inherited
        order["memory_limit"]: (memory_mb + order["beside_mb"]) * mebibyte,
        "RLIMIT_STACK": order["stack_mb"] * mebibyte,
        "RLIMIT_FSIZE": order["file_mb"] * mebibyte,
        "RLIMIT_NOFILE": 256,
    }


def _bring(code: str, order: dict[str, Any]) -> None:
    """Put the program where the command expects it."""
    if order["source"]:
        with open(order["source"], "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(code)
    if os.path.exists(GIVEN):
        shutil.copyfile(GIVEN, PROGRAM)
        os.chmod(PROGRAM, 0o700)


def _become(order: dict[str, Any]) -> None:
    """Turn this process into the command."""
    os.close(VALUES)
    os.execve(order["command"][0], order["command"], order["environment"])


def _compile(order: dict[str, Any]) -> int:
    """Run the compiler, send what it made; returns its status, or dies by the same signal."""
    compiler = os.fork()
    if compiler == 0:
        _become(order)
    _, status = os.waitpid(compiler, 0)
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    if os.WEXITSTATUS(status) == 0:
        result = order["result"]
        if os.path.isdir(result):
            result = shutil.make_archive(result, "zip", result)
        with open(result, "rb") as made, open(VALUES, "wb") as channel:
            shutil.copyfileobj(made, channel)
    return os.WEXITSTATUS(status)
