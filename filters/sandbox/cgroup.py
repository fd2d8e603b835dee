"""Control groups for a sandbox, where this user may make them: memory and number of processes.

Limits of single processes leave gaps that only the kernel's groups close: memory that belongs to no
process (files in /tmp), and many processes that are each below the limit. Version 1 (a hierarchy
for each controller) and version 2 are used as found. Where none can be made, as for most users
without root, the sandbox works with the limits of processes alone; `doctor` says so.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path("/sys/fs/cgroup")
_PREFIX: Final = "potstill-"
_TRIES: Final = 50
_numbers = itertools.count()

_V1: Final = {"memory": "memory.limit_in_bytes", "pids": "pids.max"}
_V2: Final = {"memory": "memory.max", "pids": "pids.max"}


@dataclass
class ControlGroups:
    """The groups of one sandbox; `folders` by controller, empty where there are none."""

    folders: dict[str, Path] = field(default_factory=dict)
    version: int = 0
    _memory_mb: int = 0

    @property
    def process_files(self) -> list[str]:
        """Where a process writes its number to join."""
        return sorted({str(folder / "cgroup.procs") for folder in self.folders.values()})

    def limit_memory(self, mebibytes: int) -> None:
        """Bound the memory of all processes and files inside; what is in use already stays."""
        if "memory" in self.folders and mebibytes != self._memory_mb:
            self._write("memory", mebibytes << 20)
            self._memory_mb = mebibytes

    def limit_processes(self, count: int) -> None:
        """Bound processes and threads."""
        if "pids" in self.folders:
            self._write("pids", count)

    def kills(self) -> int:
        """How often the kernel killed something in here for want of memory."""
        if "memory" not in self.folders:
            return 0
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        for line in (self.folders["memory"] / name).read_text().splitlines():
            key, _, number = line.partition(" ")
            if key == "oom_kill":
                return int(number)
        return 0

    def remove(self) -> None:
        """Remove the groups; one that still holds a dying process is swept later."""
        for folder in set(self.folders.values()):
            for _ in range(_TRIES):
                try:
                    folder.rmdir()
                    break
                except OSError:  # its last process is still being taken apart
                    time.sleep(0.01)
        self.folders.clear()

    def _write(self, controller: str, number: int) -> None:
        names = _V2 if self.version == 2 else _V1
        (self.folders[controller] / names[controller]).write_text(str(number))

    @classmethod
    def make(cls, root: Path = ROOT) -> Self:
        """New groups for a sandbox of this process; empty where none can be made."""
        name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        version = 2 if (root / "cgroup.controllers").exists() else 1
        made = cls(version=version)
        for controller in _V1:
            parent = root if version == 2 else root / controller
            folder = parent / name
            try:
                _sweep(parent)
                folder.mkdir(exist_ok=True)
                made.folders[controller] = folder
                usable = (folder / (_V2 if version == 2 else _V1)[controller]).exists()
            except OSError:
                usable = False
            if not usable:
                made.folders.pop(controller, None)
                with contextlib.suppress(OSError):
                    folder.rmdir()
        return made


def _sweep(parent: Path) -> None:
    """Remove the groups of processes that are gone: they were killed and could not."""
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
