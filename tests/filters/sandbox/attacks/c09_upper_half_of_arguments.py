# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: wrong
# proof: bits above the 32 that a filter looks at open no door
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.argtypes = [ctypes.c_long] * 7
HIGH = 1 << 32


def solve(a, b):
    done = []
    for call in (
        (302, HIGH | (os.getppid() or 1), 0, 0, 0, 0, 0),
        (72, 0, HIGH | 8, os.getppid() or 1, 0, 0, 0),
        (16, 0, HIGH | 0x5412, 0, 0, 0, 0),
        (56, HIGH | 17, 0, 0, 0, 0, 0),
        (41, HIGH | 2, 1, 0, 0, 0, 0),
        (157, HIGH | 22, 0, 0, 0, 0, 0),
    ):
        if libc.syscall(*call) >= 0:
            done.append(call)
    return a + b if done else "blocked"
