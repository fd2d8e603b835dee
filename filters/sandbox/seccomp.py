"""Which system calls may be made inside the sandbox: three lists of what is allowed, as filters.

* `zygote_filter` binds our first process inside from its start on, and all that come of it.
* `program_filter` is laid over it in the child that becomes a program: it computes, uses the files
  that it can see, and has threads. It makes no process, signals nobody and reaches no network.
* `native_filter` is for runtimes and compilers, alone in a sandbox that is thrown away: they may
  also start programs, and signal what shares their PID namespace with them.

What is not listed fails with EPERM, and what Linux gained after the table with ENOSYS. A filter
cannot see names of files: what can be opened is for the mounts to say. It is no limit on memory,
time or numbers either.

A pair of connected Unix sockets is allowed because `asyncio.run` needs one to wake itself. It has
no address, passes no descriptors (`sendmsg` is refused) and no out-of-band data, which has been a
way into the kernel (CVE-2025-38236); `socket`, `connect` and `bind` are refused.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from .arguments import (
    A_THREAD,
    DESCRIPTOR_COMMANDS,
    DEVICE_COMMANDS,
    ITS_KIND,
    ITS_NAME,
    ITS_NAME_AND_RESTRAINTS,
    ITS_OWN_LIMITS,
    NO_HUGE_PAGES,
    NO_NAMESPACE,
    PLAIN_RECEIVING,
    PLAIN_SENDING,
    PROCESSOR_STATE,
    STREAM,
    STREAM_OR_PACKETS,
    TO_NO_ADDRESS,
    UNIX,
    WAIT_AND_WAKE,
)
from .bpf import Allow, Answer, Refuse, compiled
from .syscalls import MACHINES, machine_named

Policy = Mapping[str, Answer]
"""Answers by the name of the call; a machine takes those that it has."""


def zygote_filter(machine: str | None = None) -> bytes:
    """For `bwrap --seccomp` before our process that forks the programs.

    Args:
        machine: as `uname -m` names it; the one we run on by default.

    Returns:
        An array of `struct sock_filter`.

    Raises:
        UnsupportedMachine: there is no table of system calls for it.
    """
    return filter_of(ZYGOTE, machine)


def program_filter(machine: str | None = None) -> bytes:
    """For a child of the zygote to install before a Python program; else as `zygote_filter`."""
    return filter_of(PROGRAM, machine)


def native_filter(machine: str | None = None) -> bytes:
    """For `bwrap --seccomp` before a compiler or another runtime; else as `zygote_filter`."""
    return filter_of(NATIVE, machine)


def filter_of(policy: Policy, machine: str | None) -> bytes:
    """A policy as a filter for a machine; else as `zygote_filter`."""
    found = machine_named(machine)
    answers = {
        found.numbers[name]: answer for name, answer in policy.items() if name in found.numbers
    }
    return compiled(found.audit_architecture, answers, last=max(found.numbers.values()))


def _each(names: str, answer: Answer) -> dict[str, Answer]:
    """The same answer for all of these names.

    Raises:
        ValueError: one is a system call of no machine.
    """
    if unknown := set(names.split()).difference(*(each.numbers for each in MACHINES.values())):
        raise ValueError(f"no machine has the system calls {sorted(unknown)}: is one misspelt?")
    return dict.fromkeys(names.split(), answer)


# Files: those that the mounts show. Not here: `mknod` (a pipe would block who opens it), `splice`
# and `tee`, `inotify` and `fanotify` (would tell what the host does), `chown`, handles and mounts.
_FILES: Final = """
    open openat creat close close_range dup dup2 dup3 lseek
    read readv pread64 preadv write writev pwrite64 pwritev sendfile copy_file_range
    stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2
    readlink readlinkat getdents64 getcwd chdir fchdir umask
    mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat
    chmod fchmod fchmodat utimensat truncate ftruncate fallocate"""

# Waiting for own descriptors.
_WAITING: Final = """
    pipe pipe2 poll ppoll select pselect6
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait"""

# Memory of its own, within the limit on the address space. Not here: `memfd_create` and System V
# shared memory, which that limit does not count; `mlock`, `mincore`, `userfaultfd`, NUMA policies.
_MEMORY: Final = "brk munmap mremap mprotect madvise"

# Threads: what the C library does to start and end one; `clone` and `futex` are below.
_THREADS: Final = """
    set_robust_list set_tid_address rseq sched_yield sched_getaffinity getcpu
    sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min"""

# Time: clocks, sleeping, and the timers that signal their own process. Not here: POSIX timers and
# all that sets a clock.
_TIME: Final = """
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
    getitimer setitimer alarm pause"""

# Signals to receive. Not here: all that send one. The zygote has the same user.
_SIGNALS: Final = """
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
    sigaltstack restart_syscall"""

# Itself: who it is, what it used, its own limits (which it can only lower), its end, and waiting
# for children (of which a program has none).
_ITSELF: Final = """
    getpid getppid gettid getpgid getpgrp getsid getpriority
    getuid geteuid getgid getegid getresuid getresgid getgroups
    getrusage getrlimit setrlimit uname sysinfo getrandom
    wait4 waitid exit exit_group"""

# Answered as done, and not done, because mounted files are the host's: each flush would be one of
# the host's disk, and a lock would hold there. On the temporary file system a flush does nothing,
# and nobody else is inside to lock a file against; an error would end programs (sqlite) or make
# them talk (java prints a warning).
_CLAIMED: Final = "fsync fdatasync msync sync syncfs sync_file_range flock"

# The file systems inside have no extended attributes: `shutil.copy2` goes on at this error only.
_ATTRIBUTES: Final = """
    getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr
    listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr"""

# With arguments that no filter can see. At this error callers use the older call, whose are seen.
_UNSEEN: Final = "clone3 openat2 futex_waitv epoll_pwait2"


PROGRAM: Final[Policy] = {
    **_each(_FILES, Allow()),
    **_each(_WAITING, Allow()),
    **_each(_MEMORY, Allow()),
    **_each(_THREADS, Allow()),
    **_each(_TIME, Allow()),
    **_each(_SIGNALS, Allow()),
    **_each(_ITSELF, Allow()),
    **_each(_CLAIMED, Refuse(0)),
    **_each(_ATTRIBUTES, Refuse(errno.ENOTSUP)),
    **_each(_UNSEEN, Refuse(errno.ENOSYS)),
    **_each("clone", Allow((A_THREAD,))),
    **_each("futex", Allow((WAIT_AND_WAKE,))),
    **_each("mmap", Allow((NO_HUGE_PAGES,))),
    **_each("fcntl", Allow((DESCRIPTOR_COMMANDS,))),
    **_each("ioctl", Allow((DEVICE_COMMANDS,), otherwise=errno.ENOTTY)),
    **_each("prctl", Allow((ITS_NAME,))),
    **_each("arch_prctl", Allow((PROCESSOR_STATE,))),
    **_each("prlimit64", Allow((ITS_OWN_LIMITS,))),
    **_each("socketpair", Allow((UNIX, STREAM))),
    **_each("sendto", Allow((PLAIN_SENDING, *TO_NO_ADDRESS))),
    **_each("recvfrom", Allow((PLAIN_RECEIVING,))),
    **_each("getsockopt", Allow(ITS_KIND)),
    **_each("getsockname shutdown", Allow()),
}

ZYGOTE: Final[Policy] = {
    **PROGRAM,
    **_each("execve fork kill recvmsg", Allow()),
    **_each("clone", Allow((NO_NAMESPACE,))),
    **_each("prctl", Allow((ITS_NAME_AND_RESTRAINTS,))),
}

NATIVE: Final[Policy] = {
    **PROGRAM,
    **_each("execve fork vfork kill tkill tgkill setsid setpgid", Allow()),
    **_each("clone", Allow((NO_NAMESPACE,))),
    **_each("eventfd2 capget", Allow()),  # node wakes itself by one, and asks by the other
    **_each("socketpair", Allow((UNIX, STREAM_OR_PACKETS))),  # rustc starts the linker with it
}
