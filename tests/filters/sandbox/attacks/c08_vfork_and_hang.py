# class: 8 processes
# check: calls
# machine: x86_64
# reasons: timeout wrong
# proof: threads made by raw clone die with the program
import ctypes
import mmap
import time

libc = ctypes.CDLL(None, use_errno=True)
# jmp to itself: a thread that burns a core and knows no Python
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\xeb\xfe")
stack = mmap.mmap(-1, 65536)
entry = ctypes.addressof(ctypes.c_char.from_buffer(code))
top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 65536 - 64
THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000


def solve(a, b):
    libc.clone(ctypes.c_void_p(entry), ctypes.c_void_p(top), THREAD, None)
    time.sleep(5)
    return 0
