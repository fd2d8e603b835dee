"""Runs inside the sandbox in place of `harness.py`, for programs in other languages than Python.

It speaks the same protocol with the outside (see `harness.py`), so `isolation.py` serves both: a
child for every job, with descriptors of its own. A child writes the program's text to a file, if it
is told to, limits itself, installs the system call filter of this step, and becomes a compiler or
the program. A compiler is waited for, and the one file that it made goes out through the values
channel, as bytes that nobody outside reads as anything.

What to run comes as one argument of JSON: the same for all jobs of this sandbox. Nothing is kept
from job to job; there is no secret and no expected value here.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
from typing import Any

VALUES = 3
"""Descriptor of the channel for what a compiler made."""
GIVEN, PROGRAM = "/program", "/tmp/program"
"""What a compiler made, as it is given (it cannot be started there), and where it is started."""
CANNOT_RUN = 127
"""Exit status of a child whose compiler or runtime could not be started, as shells have it."""
LEFT_OVER = 64
"""Files in /tmp that are removed one by one; a program that leaves more gets a new sandbox."""
READY = b"ready\n"
"""First on the values channel: the child is set up, all that follows is the program's doing."""
REPORT = struct.Struct("<iddI")
"""Wait status, CPU seconds of user and system, and whether something is left in /tmp."""


def serve(order: dict[str, Any]) -> None:
    """Fork a child for every job until the socket closes."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=0)
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may read or trace it
    control.recv(1 << 16)  # the filter for Python programs; ours are in the order
    control.sendall(b"ready")
    child = 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 5)
        if not message:
            os._exit(0)
        if message == b"J":
            child = os.fork()
            if child == 0:
                _be_a_child(descriptors, order)
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            if message == b"K":
                os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            left = REPORT.pack(status, usage.ru_utime, usage.ru_stime, _left_over())
            control.sendall(left)


def _left_over() -> int:
    """Remove the plain files that a program left; how many things are still there.

    Folders stay: a program can nest them deeper than is safe to follow.
    """
    os.chmod("/tmp", 0o700)
    names = os.listdir("/tmp")
    if len(names) <= LEFT_OVER:
        for name in names:
            with contextlib.suppress(OSError):  # a folder: counted below
                os.unlink(os.path.join("/tmp", name))
        names = os.listdir("/tmp")
    return len(names)


def _be_a_child(descriptors: list[int], order: dict[str, Any]) -> None:
    """Become the compiler or the program. Never returns."""
    status = CANNOT_RUN
    try:
        job_file, *streams = descriptors
        job = json.loads(os.read(job_file, os.fstat(job_file).st_size))
        for place, descriptor in enumerate(streams):
            os.dup2(descriptor, place)
        os.closerange(VALUES + 1, 64)
        _limit(job["limits"], order)
        _install(base64.b64decode(order["filter"]))
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


def _bring(code: str, order: dict[str, Any]) -> None:
    """Put the program where the command expects it."""
    if order["source"]:
        with open(order["source"], "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(code)
    if os.path.exists(GIVEN):
        shutil.copyfile(GIVEN, PROGRAM)
        os.chmod(PROGRAM, 0o700)


def _limit(limits: dict[str, int], order: dict[str, Any]) -> None:
    """Both limits alike, so that the program can raise none; CPU time warns a second before."""
    mebibyte, seconds = 1 << 20, limits["cpu_seconds"]
    for name, value in {
        "RLIMIT_AS": resource.RLIM_INFINITY,  # a worker's own may have been inherited
        order["memory_limit"]: (limits["memory_mb"] + order["beside_mb"]) * mebibyte,
        "RLIMIT_STACK": order["stack_mb"] * mebibyte,
        "RLIMIT_FSIZE": order["file_mb"] * mebibyte,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_NPROC": 64,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }.items():
        which = getattr(resource, name)
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = hard if value == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _install(system_calls: bytes) -> None:
    """Hand the filter to the kernel: PR_SET_NO_NEW_PRIVS, then PR_SET_SECCOMP in filter mode."""
    buffer = ctypes.create_string_buffer(system_calls, len(system_calls))
    program = struct.pack("HxxxxxxP", len(system_calls) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.prctl(38, 1, 0, 0, 0) == 0
    if not done or libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter could not be installed")


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


serve(json.loads(sys.argv[1]))
