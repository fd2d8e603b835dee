# class: 8 processes
# check: calls
# machine: x86_64
# reasons: wrong
# proof: tkill, tgkill, sigqueue, pidfd, F_SETOWN, leases and directory notices signal nobody
import ctypes
import fcntl
import os

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    done = []
    parent = os.getppid()
    info = (ctypes.c_int * 32)(9)
    for target in {parent, 1, 2} - {0}:
        for name, call in {
            "tkill": (200, target, 9),
            "tgkill": (234, target, target, 9),
            "sigqueue": (129, target, 9, info),
            "tgsigqueue": (297, target, target, 9, info),
            "pidfd": (434, target, 0),
        }.items():
            if libc.syscall(*call) >= 0:
                done.append(name)
    reader, writer = os.pipe()
    for name, command, argument in (
        ("F_SETOWN", fcntl.F_SETOWN, parent or 1),
        ("F_SETOWN_EX", 15, (2).to_bytes(4, "little") * 2),
        ("F_SETSIG", 10, 9),
        ("F_NOTIFY", 1026, 0x80000002),
        ("O_ASYNC", fcntl.F_SETFL, os.O_ASYNC),
    ):
        try:
            fcntl.fcntl(reader, command, argument)
            done.append(name)
        except OSError:
            pass
    return a + b if set(done) - {"O_ASYNC"} else "blocked"
