# class: 5 secrets and the host's files
# check: calls
# machine: x86_64
# reasons: wrong
# proof: opening by file handle, which passes by all paths, is refused
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    anchor = os.open("/", os.O_RDONLY)
    for inode in range(1, 64):
        handle = (ctypes.c_uint32 * 4)(8, 1, inode, 0)
        found = libc.syscall(304, anchor, handle, os.O_RDONLY)
        if found >= 0:
            return a + b
    return f"blocked {ctypes.get_errno()}"
