"""A reader of classic BPF: what a filter answers to a system call, without asking a kernel.

So filters for machines that we do not have can be tested, and calls that nobody should try. It is
written from `linux/bpf_common.h` and `linux/seccomp.h` and shares nothing with the compiler.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence

KILL, FAIL, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000


def answer(
    program: bytes, architecture: int, number: int, arguments: Sequence[int] = (0,) * 6
) -> str:
    """`kill`, `allow`, or the name of the error; `done` where it is claimed without an error."""
    returned = _run(program, struct.pack("<IIQ6Q", number, architecture, 0, *arguments))
    if returned == KILL:
        return "kill"
    if returned == ALLOW:
        return "allow"
    assert returned & 0xFFFF0000 == FAIL, hex(returned)
    return errno.errorcode[returned & 0xFFFF] if returned & 0xFFFF else "done"


def _run(program: bytes, data: bytes) -> int:
    instructions = list(struct.iter_unpack("<HBBI", program))
    assert 0 < len(instructions) <= 4096, "more than the kernel takes"
    accumulator = place = 0
    while True:
        operation, if_true, if_false, constant = instructions[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif operation == 0x54:
            accumulator &= constant
        elif operation == 0x05:
            place += constant
        elif operation == 0x15:
            place += if_true if accumulator == constant else if_false
        elif operation == 0x35:
            place += if_true if accumulator >= constant else if_false
        elif operation == 0x06:
            return constant
        else:
            raise AssertionError(f"no such instruction in our filters: {operation:#x}")
