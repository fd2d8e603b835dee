# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: runtime_error
# proof: the x32 numbers, by which a filter may be passed, kill
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    return libc.syscall(0x40000000 | 41, 2, 1, 0)
