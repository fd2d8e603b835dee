# class: 9 kernel surface
# check: calls
# machine: x86_64
# reasons: wrong
# proof: no way to another user: not directly, not by a user namespace
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    for act in (
        lambda: os.setuid(0),
        lambda: os.setresuid(0, 0, 0),
        lambda: os.seteuid(0),
        lambda: os.setgid(0),
        lambda: os.setgroups([0]),
    ):
        try:
            act()
            return a + b
        except OSError:
            pass
    for flags in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x7E020000):
        if libc.unshare(flags) == 0 or libc.syscall(56, flags | 17, 0, 0, 0, 0) >= 0:
            return a + b
    return "blocked" if os.getuid() and os.geteuid() else a + b
