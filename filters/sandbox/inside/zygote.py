"""The first process inside: it forks one child for every program and says how each ended.

It waits on a socket at descriptor 0:

    a system call filter         for the children, once; it answers b"ready"
    b"J" with five descriptors   fork a child: job, stdin, stdout, stderr, values
    b"R"                         wait for the child and tell how it ended
    b"K"                         kill it first

What a job says and what a program writes never passes through here, so nothing of one program is in
the memory that the next one is forked from. A child limits itself and installs the filter before it
does what its job says (`python_job.py`, `native_job.py`); `READY` on the values channel tells that
it came so far.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

VALUES = 3
"""Descriptor of the channel for values in a child."""
READY = b"ready\n"
"""First on the values channel: the child was set up, and what follows is the program's doing."""
REPORT = struct.Struct("<iI")
"""Wait status, and the number of things left in the folder."""
LEFT_OVER = 64
"""Files that are removed one by one; after a program that leaves more the sandbox is renewed."""

Install = Callable[[], None]
Child = Callable[[list[int], Install], None]
"""Becomes the process of a job, given its descriptors and what installs the filter; no return."""


def serve(child: Child, prepare: Callable[[], None] = lambda: None) -> None:
    """Fork a child for every job until the socket closes; the current folder is theirs to fill."""
    folder = os.getcwd()
    os.chmod(folder, 0o700)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=0)
    prepare()
    os.environ.clear()
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may read or trace it
    install = installer(control.recv(1 << 16))
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it looks at
    control.sendall(b"ready")
    number = 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 5)
        if not message:
            os._exit(0)
        if message == b"J":
            number = os.fork()
            if number == 0:
                child(descriptors, install)
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            if message == b"K":
                os.kill(number, signal.SIGKILL)
            _, status = os.waitpid(number, 0)
            control.sendall(REPORT.pack(status, _left_over(folder)))


def _left_over(folder: str) -> int:
    """Remove the plain files that a program left; how many things are still there."""
    os.chmod(folder, 0o700)
    names = os.listdir(folder)
    if 0 < len(names) <= LEFT_OVER:
        for name in names:
            with contextlib.suppress(OSError):  # a folder: counted below
                os.unlink(os.path.join(folder, name))
        names = os.listdir(folder)
    return len(names)


def taken(descriptors: list[int]) -> Any:
    """The job, with its descriptors in their places: stdin, stdout, stderr and values."""
    job_file, *streams = descriptors
    job = json.loads(os.read(job_file, os.fstat(job_file).st_size))
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
    os.closerange(VALUES + 1, 64)
    return job


def limit(cpu_seconds: int, others: Mapping[str, int]) -> None:
    """Limit this process: both limits alike, so that a program can raise none.

    CPU time warns a second before it kills, by SIGXCPU.
    """
    common = {"RLIMIT_NPROC": 64, "RLIMIT_CORE": 0, "RLIMIT_MEMLOCK": 0, "RLIMIT_MSGQUEUE": 0}
    for name, value in {**common, **others}.items():
        which = getattr(resource, name)
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = hard if value == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = cpu_seconds + 1 if hard == resource.RLIM_INFINITY else min(cpu_seconds + 1, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (min(cpu_seconds, most), most))


def installer(program_filter: bytes) -> Install:
    """What hands the filter to the kernel. Made before the forks: each page a child touches costs.

    PR_SET_NO_NEW_PRIVS (38), then PR_SET_SECCOMP (22) in filter mode (2).
    """
    buffer = ctypes.create_string_buffer(program_filter, len(program_filter))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program_filter) // 8, ctypes.addressof(buffer))
    )
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    place = ctypes.addressof(program)

    def install(_alive: object = (buffer, program)) -> None:
        if prctl(38, 1, None, 0, 0) != 0 or prctl(22, 2, place, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the filter could not be installed")

    return install
