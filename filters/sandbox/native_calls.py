"""System calls around programs in other languages: of the process that forks, and of the program.

Both are made of the lists in `seccomp.py`. The forking process may do what it does itself and all
that a compiler may; the narrower filter is laid over it in the child. A program may do what a
Python program may, and what a start and the event loop of a runtime take: it makes no process and
signals nobody, not even itself (`abort` then ends in SIGSEGV).
"""

from __future__ import annotations

from typing import Final

from .bpf import Allow
from .seccomp import NATIVE, PROGRAM, ZYGOTE, Policy, filter_of

NATIVE_ZYGOTE: Final[Policy] = {**NATIVE, **ZYGOTE, "socketpair": NATIVE["socketpair"]}
NATIVE_PROGRAM: Final[Policy] = {
    **PROGRAM,
    "execve": Allow(),
    **{name: NATIVE[name] for name in ("eventfd2", "capget")},
}


def native_zygote_filter(machine: str | None = None) -> bytes:
    """For `bwrap --seccomp` before `inside/native_job.py`; else as `zygote_filter`."""
    return filter_of(NATIVE_ZYGOTE, machine)


def native_program_filter(machine: str | None = None) -> bytes:
    """For a child to install before it becomes a program; else as `zygote_filter`."""
    return filter_of(NATIVE_PROGRAM, machine)
