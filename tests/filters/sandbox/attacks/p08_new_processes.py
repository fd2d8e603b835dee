# class: 8 processes
# check: probe
# answer: {"fork": "EPERM", "vfork": "EPERM", "clone": "EPERM", "clone3": "ENOSYS", "execve": "EPERM", "posix_spawn": "blocked", "system": "blocked", "popen": "blocked", "multiprocessing": "blocked", "pty": "blocked"}
# machine: x86_64
# proof: no process can be made by any way
import ctypes
import errno
import multiprocessing
import os
import pty
import subprocess

libc = ctypes.CDLL(None, use_errno=True)


def raw(number, *args):
    if libc.syscall(number, *args) >= 0:
        os._exit(0)
    return errno.errorcode[ctypes.get_errno()]


def blocked(act):
    try:
        result = act()
        return "blocked" if result else "made"
    except (OSError, ImportError):
        return "blocked"


def solve():
    return {
        "fork": raw(57),
        "vfork": raw(58),
        "clone": raw(56, 17, 0, 0, 0, 0),
        "clone3": raw(435, (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17), 88),
        "execve": raw(59, b"/bin/true", None, None),
        "posix_spawn": blocked(lambda: not os.posix_spawn("/proc/self/exe", ["x"], {})),
        "system": blocked(lambda: os.system("true") != 0),
        "popen": blocked(lambda: subprocess.run(["true"]) is None),
        "multiprocessing": blocked(lambda: multiprocessing.Process(target=print).start()),
        "pty": blocked(lambda: pty.fork()[0] == 0),
    }
