# class: 7 network
# check: calls
# machine: x86_64
# reasons: wrong
# proof: no ring, which could make sockets past the filter
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    parameters = (ctypes.c_uint32 * 30)()
    return a + b if libc.syscall(425, 8, parameters) >= 0 else "blocked"
