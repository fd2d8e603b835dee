# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: wrong runtime_error
# proof: a thread's flags do not smuggle a namespace through
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000


def solve(a, b):
    for flag in (0x10000000, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x20000000, 0x40000000, 0x80):
        if libc.syscall(56, THREAD | flag, 0, 0, 0, 0) >= 0:
            return a + b
    return "blocked"
