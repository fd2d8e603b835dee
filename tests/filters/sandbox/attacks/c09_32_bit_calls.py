# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: runtime_error
# proof: int 0x80, by which a filter may be passed, kills
import ctypes
import mmap

# mov eax, 2 (fork in the 32-bit table); int 0x80; ret
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("b802000000 cd80 c3"))


def solve(a, b):
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
