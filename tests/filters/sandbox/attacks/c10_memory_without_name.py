# class: 10 memory, disk and descriptors
# check: calls
# machine: x86_64
# reasons: wrong
# proof: neither memfd nor SysV segments give memory beside the limit
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    try:
        os.ftruncate(os.memfd_create("x"), 1 << 20)
        return a + b
    except OSError:
        pass
    return a + b if libc.shmget(0, 1 << 20, 0o1777) >= 0 else "blocked"
