# class: 4 searching for the answer
# check: calls
# cases: [[[1], "EXPECTED-@ANSWER@-1"], [[2], "EXPECTED-@ANSWER@-2"]]
# reasons: wrong
# proof: no page of the process's memory holds an expected value
import ctypes
import gc
import os
import re

reader, writer = os.pipe()
PAGE = 4096


def page(address):
    """The bytes of a page, or None where there is none: write(2) says EFAULT and does not crash."""
    libc = ctypes.CDLL(None)
    if libc.write(writer, ctypes.c_void_p(address), ctypes.c_size_t(PAGE)) != PAGE:
        return None
    return os.read(reader, PAGE)


def pages():
    libc = ctypes.CDLL(None)
    libc.sbrk.restype = ctypes.c_void_p
    top = libc.sbrk(0) or 0
    near = {id(found) & ~(PAGE - 1) for found in gc.get_objects()}
    yield from {start + step * PAGE for start in near for step in range(-2, 3)}
    yield from range(max(top - (32 << 20), 0), top, PAGE)


def solve(number):
    for address in pages():
        data = page(address)
        if data and (found := re.search(rb"EXPECTED-[0-9a-f]{32}-%d" % number, data)):
            return found[0].decode()
    return "nothing found"
