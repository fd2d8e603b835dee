# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong memory runtime_error
# proof: malloc past Python's own accounts ends at the limit
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]


def solve(a, b):
    blocks = 0
    while blocks < 8192:
        address = libc.malloc(1 << 20)
        if not address:
            return "limited"
        ctypes.memset(address, 1, 1 << 20)
        blocks += 1
    return a + b
