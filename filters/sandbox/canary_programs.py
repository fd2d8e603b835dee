"""Run inside of a sandbox: tries what a program must not be able to do, and tells what worked.

It is given to the sandbox as text, like any program, and calls only the standard library. Each
function returns the names of its attempts that succeeded; the system refusing one is an OSError.
Any other exception is a mistake in here and is let out, so that it is never taken for a refusal.
What the answers mean is said in `canaries.py`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
FIRST_FREE, LAST_TRIED = 4, 64
"""Descriptors: 0 to 3 are the program's own."""


def double(number: int, packages: list[str]) -> int:
    """An honest program, which imports what the config promises."""
    for name in packages:
        __import__(name)
    return 2 * number


def _that_worked(attempts: Mapping[str, Callable[[], object]]) -> list[str]:
    worked = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        worked.append(name)
    return worked


def call_out(port: int, datagram_port: int, unix_name: str) -> list[str]:
    """Reach the listeners of whoever started the sandbox."""

    def tcp() -> None:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()

    def udp() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"canary", ("127.0.0.1", datagram_port))

    def unix() -> None:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect("\0" + unix_name)

    return _that_worked({"TCP": tcp, "UDP": udp, "a unix socket": unix})


def make_sockets() -> list[str]:
    """Sockets of every useful family, connected to nothing."""

    def made(family: int, kind: int) -> Callable[[], object]:
        return lambda: socket.socket(family, kind).close()

    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return _that_worked(
        {
            "TCP": made(socket.AF_INET, stream),
            "UDP": made(socket.AF_INET, datagram),
            "TCP over IPv6": made(socket.AF_INET6, stream),
            "unix": made(socket.AF_UNIX, stream),
            "netlink": made(socket.AF_NETLINK, socket.SOCK_RAW),
        }
    )


def read(paths: list[str]) -> list[str]:
    """The files that can be read."""

    def begin(path: str) -> None:
        with open(path, "rb") as file:
            file.read(1)

    return _that_worked({path: partial(begin, path) for path in paths})


def content(path: str) -> str:
    """What stands in a file; "" where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(1000).decode("utf-8", "replace")
    except OSError:
        return ""


def open_descriptors() -> list[int]:
    """Descriptors that this process was given beside its own."""
    looks = {str(number): partial(os.fstat, number) for number in range(FIRST_FREE, LAST_TRIED)}
    return list(map(int, _that_worked(looks)))


def find_variable(name: str) -> list[str]:
    """Where a variable of the environment can be seen."""
    places = ["os.environ"] if name in os.environ else []
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    if libc.getenv(name.encode()) is not None:
        places.append("getenv")
    for who in ("self", "1", str(os.getppid())):
        path = f"/proc/{who}/environ"
        try:
            with open(path, "rb") as file:
                seen = name.encode() in file.read()
        except OSError:
            continue
        places += [path] * seen
    return places


def start_processes(executable: str) -> list[str]:
    """Processes of its own; the last attempt, if it works, ends this one."""

    def fork() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    def spawn() -> None:
        os.waitpid(os.posix_spawn(executable, [executable, "-c", ""], {}), 0)

    def shell() -> None:
        subprocess.run([executable, "-c", ""], check=True)

    def execute() -> None:
        os.execv(executable, [executable, "-c", ""])

    return _that_worked({"fork": fork, "spawn": spawn, "subprocess": shell, "exec": execute})


def disturb(process: int) -> list[str]:
    """Signals to others (number 0: would it be allowed?) and tracing of them."""
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(other: int) -> None:
        if libc.ptrace(PTRACE_ATTACH, other, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        os.waitpid(other, 0)
        libc.ptrace(PTRACE_DETACH, other, None, None)

    others = {"its starter": process, "its parent": os.getppid(), "process 1": 1, "everybody": -1}
    signals = {f"a signal to {who}": partial(os.kill, other, 0) for who, other in others.items()}
    return _that_worked(signals | {"tracing its parent": partial(trace, os.getppid())})


def write(folders: list[str], name: str, leave: bool) -> list[str]:
    """A file in each of these folders."""

    def put(folder: str) -> None:
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write("canary")
        if not leave:
            os.unlink(path)

    return _that_worked({folder: partial(put, folder) for folder in folders})


def hoard(mebibytes: int) -> int:
    """Ask for memory at once, without touching it."""
    try:
        return len(mmap.mmap(-1, mebibytes << 20))
    except OSError as error:
        raise MemoryError from error


def sleep(seconds: float) -> None:
    time.sleep(seconds)
