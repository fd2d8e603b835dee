"""What a judging process has in use: processes, descriptors, memory, control groups, files.

Taken before and after, it shows what was left behind. Processes are the descendants of this one;
`adopted_orphans` makes those stay descendants whose parent died, so no daemon gets out of sight.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GROWTH_MB: Final = 64
"""Resident memory may vary by this much: allocators keep what they had."""
_PR_SET_CHILD_SUBREAPER: Final = 36


@contextmanager
def adopted_orphans() -> Iterator[None]:
    """Whatever a descendant leaves behind becomes a child of this process, and is buried at last.

    Undone at the end: other tests wait until orphans are gone, and only init buries those.
    """
    before = set(descendants())
    _adopt(True)
    try:
        yield
    finally:
        _adopt(False)
        for number, state in descendants().items():
            if state == "Z" and number not in before:
                with suppress(ChildProcessError):  # its own parent has buried it
                    os.waitpid(number, os.WNOHANG)


def _adopt(on: bool) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def alive() -> set[int]:
    """Processes below this one that run; the dead who wait to be buried are not counted."""
    return {number for number, state in descendants().items() if state != "Z"}


def descendants(ancestor: int | None = None) -> dict[int, str]:
    """Number and state of every process below this one, zombies (Z) too."""
    parents, states = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:  # it ended meanwhile
                continue
            parents[int(folder.name)], states[int(folder.name)] = int(parent), state
    found = {ancestor or os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {number: states[number] for number in found - {ancestor or os.getpid()}}


def control_groups(owners: set[int]) -> list[str]:
    """Control groups that these processes made for sandboxes and that are still there."""
    names = {path.name for path in Path("/sys/fs/cgroup").glob("**/potstill-*")}
    return sorted(name for name in names if int(name.split("-")[1]) in owners)


def resident_mb(process: int | str = "self") -> int:
    """Resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return (pages * os.sysconf("SC_PAGE_SIZE")) >> 20


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass(frozen=True)
class Census:
    """A count of everything at one moment."""

    processes: frozenset[int]
    descriptors: frozenset[str]
    memory_mb: int
    files: frozenset[str]
    """In the folder for temporary files, which should be one that only this test uses."""

    @classmethod
    def take(cls, temporary: Path) -> Census:
        """Count now."""
        gc.collect()
        descriptors = frozenset(os.listdir("/proc/self/fd"))
        files = frozenset(str(path) for path in temporary.rglob("*"))
        return cls(frozenset(alive()), descriptors, resident_mb(), files)

    def left_by(self, after: Census) -> list[str]:
        """What is there after and was not before, in words; empty if nothing is."""
        found = [f"process {number}" for number in after.processes - self.processes]
        if (more := len(after.descriptors) - len(self.descriptors)) > 0:
            found.append(f"{more} descriptors")
        if (more := after.memory_mb - self.memory_mb) > GROWTH_MB:
            found.append(f"{more} MiB of resident memory")
        return found + [f"file {name}" for name in sorted(after.files - self.files)]
