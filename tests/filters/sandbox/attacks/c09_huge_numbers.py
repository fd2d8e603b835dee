# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: wrong runtime_error
# proof: unknown, negative and enormous system call numbers do nothing
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.argtypes = [ctypes.c_long] * 7


def solve(a, b):
    numbers = [*range(463, 600), 0x3FFFFFFF, -2, 1 << 33 | 57, 1 << 63]
    done = [n for n in numbers if libc.syscall(n if n < 1 << 63 else -(1 << 63), 0, 0, 0, 0, 0, 0) >= 0]
    return a + b if done else "blocked"
