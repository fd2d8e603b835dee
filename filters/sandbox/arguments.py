"""What the arguments of a system call may be, where the call as a whole is too much to allow.

Values are from `linux/sched.h`, `futex.h`, `mman.h`, `fcntl.h`, `prctl.h` and `socket.h`, from
`asm/prctl.h` and `asm-generic/ioctls.h`; they are the same on all machines of the table. A filter
sees no memory, so nothing is said here of what an argument points to.
"""

from __future__ import annotations

from typing import Final

from .bpf import Condition

_WORD: Final = 0xFFFF_FFFF
_THREAD: Final = 0x1_0000
_SHARED_BY_THREADS: Final = _THREAD | 0x100 | 0x200 | 0x400 | 0x800  # VM, FS, FILES, SIGHAND
_THREAD_DETAILS: Final = 0x4_0000 | 0x8_0000 | 0x10_0000 | 0x20_0000 | 0x40_0000 | 0x100_0000
"""CLONE_SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID, DETACHED, CHILD_SETTID."""
_FORKING: Final = 0xFF | 0x4000  # the signal at exit, VFORK

A_THREAD: Final = Condition(
    0, (_THREAD,), mask=_WORD & ~(_SHARED_BY_THREADS | _THREAD_DETAILS) | _THREAD
)
NO_NAMESPACE: Final = Condition(
    0, (0,), mask=_WORD & ~(_SHARED_BY_THREADS | _THREAD_DETAILS | _FORKING)
)

_NOT_PRIVATE_NOR_CLOCK: Final = _WORD & ~(128 | 256)
WAIT_AND_WAKE: Final = Condition(1, (0, 1, 9, 10, 3, 4, 5), mask=_NOT_PRIVATE_NOR_CLOCK)
"""Without priority inheritance, which nothing here uses and the kernel got wrong often."""

NO_HUGE_PAGES: Final = Condition(3, (0,), mask=0x4_0000)
"""MAP_HUGETLB takes from a pool of the whole machine."""

DESCRIPTOR_COMMANDS: Final = Condition(1, (1, 2, 3, 4, 0, 1030, 5, 6, 7))
"""F_GETFD, SETFD, GETFL, SETFL, DUPFD, DUPFD_CLOEXEC, GETLK, SETLK, SETLKW. The locks are for
sqlite; on a file of the host, which is mounted to be read, only a shared one can be had. Not SETOWN
and SETSIG, which signal others, nor leases, notification, seals and sizes of pipes."""

DEVICE_COMMANDS: Final = Condition(1, (0x541B, 0x5421, 0x5450, 0x5451, 0x4004_9409))
"""FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FICLONE (`pathlib` reads its answer). For others ENOTTY, as
from a file that is no terminal, which is what a program asks at each `open`."""

_NAME: Final = (15, 16)  # PR_SET_NAME, PR_GET_NAME
_RESTRAINTS: Final = (4, 38, 22)  # PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
ITS_NAME: Final = Condition(0, _NAME)
ITS_NAME_AND_RESTRAINTS: Final = Condition(0, (*_NAME, *_RESTRAINTS))
ITS_OWN_LIMITS: Final = Condition(0, (0,))
PROCESSOR_STATE: Final = Condition(0, (0x1002, 0x1003, 0x1021, 0x1022, 0x1023))
"""ARCH_SET_FS, GET_FS, GET_XCOMP_SUPP, GET_XCOMP_PERM, REQ_XCOMP_PERM (matrix units for BLAS)."""

UNIX: Final = Condition(0, (1,))
STREAM: Final = Condition(1, (1,), mask=0xF)
STREAM_OR_PACKETS: Final = Condition(1, (1, 5), mask=0xF)
TO_NO_ADDRESS: Final = (Condition(4, (0,)), Condition(4, (0,), upper=True))
PLAIN_SENDING: Final = Condition(3, (0,), mask=_WORD & ~(0x40 | 0x4000))  # DONTWAIT, NOSIGNAL
PLAIN_RECEIVING: Final = Condition(3, (0,), mask=_WORD & ~0x40)
ITS_KIND: Final = (Condition(1, (1,)), Condition(2, (3, 38, 39)))
"""SOL_SOCKET with SO_TYPE, SO_PROTOCOL or SO_DOMAIN: asked of a descriptor before it is used."""
