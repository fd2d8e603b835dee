"""Calls that are allowed or refused by their arguments, on each machine: read from the filters.

What matters most is written down here by hand, from the kernel's headers, beside the policies.
"""

from __future__ import annotations

import pytest
from filter_machine import answer

from potstill.filters.sandbox.seccomp import native_filter, program_filter, zygote_filter
from potstill.filters.sandbox.syscalls import MACHINES

THREAD, VM, NEW_USER, NEW_NET, PARENT = 0x3D0F00, 0x100, 0x10000000, 0x40000000, 0x8000
FORK, VFORK = 0x1200011, 0x4111
ABOVE = 1 << 32
BY_ARGUMENTS = [
    ("program", "clone", (THREAD,), "allow"),
    ("program", "clone", (0x7D0F00,), "allow"),  # as musl makes a thread
    ("program", "clone", (FORK,), "EPERM"),
    ("program", "clone", (VFORK,), "EPERM"),
    ("program", "clone", (0,), "EPERM"),
    ("program", "clone", (THREAD | NEW_NET,), "EPERM"),
    ("program", "clone", (THREAD | 17,), "EPERM"),
    *[(name, "clone", (FORK,), "allow") for name in ("zygote", "native")],
    *[(name, "clone", (VFORK,), "allow") for name in ("zygote", "native")],
    *[
        (name, "clone", (flags << bit,), "EPERM")
        for name in ("zygote", "native", "program")
        for flags, bit in [(1, 17), *((1, bit) for bit in range(25, 32)), (NEW_USER | FORK, 0)]
    ],
    *[(name, "clone", (FORK | PARENT,), "EPERM") for name in ("zygote", "native")],
    ("program", "prlimit64", (0, 3, 0, 0), "allow"),
    ("program", "prlimit64", (1, 3, 0, 0), "EPERM"),
    ("program", "prlimit64", (0xFFFFFFFF, 3, 0, 0), "EPERM"),
    ("program", "prctl", (15,), "allow"),
    ("program", "prctl", (15 + ABOVE,), "allow"),  # the kernel does not look at it either
    *[("program", "prctl", (each,), "EPERM") for each in (1, 4, 22, 23, 24, 28, 35, 36, 38, 59)],
    *[("zygote", "prctl", (each,), "allow") for each in (4, 15, 22, 38)],
    *[("zygote", "prctl", (each,), "EPERM") for each in (8, 23, 24, 28, 35, 36, 47, 0x59616D61)],
    *[("program", "futex", (0, each), "allow") for each in (0, 1, 128, 129, 137, 393, 138, 133)],
    *[("program", "futex", (0, each), "EPERM") for each in (6, 134, 8, 11, 12, 140, 13, 2, 512)],
    ("program", "mmap", (0, 4096, 3, 0x22), "allow"),
    ("program", "mmap", (0, 4096, 3, 0x40022), "EPERM"),
    ("program", "sendto", (3, 0, 1, 0x4040, 0, 0), "allow"),
    ("program", "sendto", (3, 0, 1, 0, 1, 0), "EPERM"),
    ("program", "sendto", (3, 0, 1, 0, ABOVE, 0), "EPERM"),
    ("program", "sendto", (3, 0, 1, 1, 0, 0), "EPERM"),
    ("program", "recvfrom", (3, 0, 1, 0x40, 0, 0), "allow"),
    ("program", "recvfrom", (3, 0, 1, 1, 0, 0), "EPERM"),
    ("program", "recvmsg", (3, 0, 0), "EPERM"),
    ("zygote", "recvmsg", (0, 0, 0), "allow"),
    ("native", "recvmsg", (0, 0, 0), "EPERM"),
    *[
        ("program", "socketpair", (1, kind | flags), "allow" if kind == 1 else "EPERM")
        for kind in (1, 2, 3, 5)
        for flags in (0, 0o2004000)
    ],
    *[("native", "socketpair", (1, kind), "allow") for kind in (1, 5)],
    *[
        (name, "socketpair", (family, 1), "EPERM")
        for name in ("native", "program", "zygote")
        for family in (0, 2, 10, 16, 17, 38, 40)
    ],
    *[("program", "ioctl", (0, each), "allow") for each in (0x541B, 0x5421, 0x40049409)],
    *[("program", "ioctl", (0, each), "ENOTTY") for each in (0x5401, 0x5412, 0x8901, 0xC018AA3F)],
    ("program", "getsockopt", (0, 1, 17), "EPERM"),
    ("zygote", "getsockopt", (0, 1, 38), "allow"),
    ("zygote", "getsockopt", (0, 1, 17), "EPERM"),
    ("zygote", "getsockopt", (0, 6, 3), "EPERM"),
]


@pytest.mark.parametrize("machine", sorted(MACHINES))
@pytest.mark.parametrize(("which", "name", "arguments", "expected"), BY_ARGUMENTS)
def test_arguments_decide(
    which: str, name: str, arguments: tuple[int, ...], expected: str, machine: str
) -> None:
    make = {"zygote": zygote_filter, "program": program_filter, "native": native_filter}[which]
    found = MACHINES[machine]
    given_arguments = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    program = make(machine)
    assert (
        answer(program, found.audit_architecture, found.numbers[name], given_arguments) == expected
    )
