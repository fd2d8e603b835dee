"""Run before bubblewrap, outside the sandbox: gives up all rights, then becomes it.

    python -I -S launcher.py '{"bwrap": …, "arguments": […], "sources": […], "cgroups": […]}'

It joins the control groups made for it. If it is root it becomes `nobody`, whom the kernel's limits
on processes bind (they do not bind root: 300 forks under a limit of 16 were measured). An
interpreter below /root is not readable for nobody, so before that the folders that the sandbox will
see are mounted under /tmp, in a mount namespace that only this process and bubblewrap have. Where
root may not mount (a container), they are left where they are.

It runs with an empty environment and hands on none. It never sees a program.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import sys

NOBODY = 65534
_CLONE_NEWNS = 0x20000
_ADDR_NO_RANDOMIZE = 0x40000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def main(order: dict[str, list[str]]) -> None:
    """Join, drop and become bubblewrap."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)  # that of the worker is not meant for programs
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    for processes in order["cgroups"]:
        with open(processes, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    ctypes.CDLL(None).personality(_ADDR_NO_RANDOMIZE)  # sets of objects are ordered by address
    arguments = order["arguments"]
    if os.geteuid() == 0:
        places = _staged(order["sources"])
        arguments = [
            places.get(each, each) if before == "--ro-bind" else each
            for before, each in zip(["", *arguments], arguments, strict=False)
        ]
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execve(order["bwrap"][0], ["bwrap", *arguments], {})


def _staged(sources: list[str]) -> dict[str, str]:
    """Where nobody can read each folder; empty where this root may not mount."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        return {}
    _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)
    held = [os.open(source, os.O_PATH) for source in sources]  # one may itself be below /tmp
    _mount(libc, "tmpfs", "/tmp", "tmpfs", 0)
    places = {}
    for number, (source, descriptor) in enumerate(zip(sources, held, strict=True)):
        places[source] = f"/tmp/{number}"
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.mkdir(places[source])
        else:
            os.close(os.open(places[source], os.O_CREAT))
        _mount(libc, f"/proc/self/fd/{descriptor}", places[source], None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    return places


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int) -> None:
    words = [word.encode() if word else None for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting {source} failed: {os.strerror(number)}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
