# class: 8 processes
# check: calls
# machine: x86_64
# reasons: wrong
# proof: the parent's limits, priority, cores, memory and scheduling cannot be touched
import ctypes
import os
import resource

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    done = []
    for target in {os.getppid(), 1, 2} - {0, os.getpid()}:
        for name, act in {
            "prlimit": lambda: resource.prlimit(target, resource.RLIMIT_CPU, (0, 0)),
            "setpriority": lambda: os.setpriority(os.PRIO_PROCESS, target, 19),
            "affinity": lambda: os.sched_setaffinity(target, {0}),
            "scheduler": lambda: os.sched_setscheduler(target, os.SCHED_IDLE, os.sched_param(0)),
        }.items():
            try:
                act()
                done.append(name)
            except OSError:
                pass
        buffer = ctypes.create_string_buffer(64)
        vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 64)
        for name, call in {
            "ptrace": (101, 16, target, 0, 0),
            "process_vm_readv": (310, target, vector, 1, vector, 1, 0),
            "process_vm_writev": (311, target, vector, 1, vector, 1, 0),
            "kcmp": (312, target, target, 0, 0, 0),
            "ioprio_set": (251, 1, target, 0x6000),
            "migrate_pages": (256, target, 64, vector, vector),
            "move_pages": (279, target, 0, vector, 0, vector, 0),
        }.items():
            if libc.syscall(*call) >= 0:
                done.append(name)
    return a + b if done else "blocked"
