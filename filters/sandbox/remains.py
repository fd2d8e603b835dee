"""Whether a sandbox leaves processes behind, seen from outside and by the kernel's own account.

Counted are this process's children that became bubblewrap since the block began, and all that
descend from them. A number is believed only together with the time when its process began: numbers
are used again.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple, Self

PATIENCE_SECONDS: Final = 5.0
"""The kernel ends a killed namespace by itself, and on a busy machine not at once."""
_POLL_SECONDS: Final = 0.005
_BWRAP: Final = "bwrap"


class _Process(NamedTuple):
    number: int
    began: str
    """In ticks of the kernel's clock."""


class Remains:
    """A context manager: enter it before the sandbox is opened, ask it after it was closed."""

    def __init__(self) -> None:
        self._before: set[_Process] = set()
        self._seen: set[_Process] = set()

    def __enter__(self) -> Self:
        self._before = _sandboxed()
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def look(self) -> None:
        """Remember what runs now."""
        self._seen |= _sandboxed() - self._before

    def after(self) -> list[int]:
        """Numbers of the processes that are still there; waits a little for the last to go."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return sorted(process.number for process in left)

    def _left(self) -> set[_Process]:
        everything = {process for process, _, _ in _table()}
        return (self._seen & everything) | (_sandboxed() - self._before)


def _sandboxed() -> set[_Process]:
    """Children of this process that are bubblewrap, and their descendants."""
    children: dict[int, list[tuple[_Process, str]]] = defaultdict(list)
    for process, name, parent in _table():
        children[parent].append((process, name))
    waiting = [process for process, name in children[os.getpid()] if name == _BWRAP]
    found: set[_Process] = set()
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += [child for child, _ in children[process.number]]
    return found


def _table() -> list[tuple[_Process, str, int]]:
    """Every living process with its name and its parent's number."""
    table = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        before, _, after = text.rpartition(") ")
        fields = after.split()  # proc(5): state is field 3, ppid 4, starttime 22
        if fields[0] not in "ZX":
            name = before.partition("(")[2]
            table.append((_Process(int(folder.name), fields[19]), name, int(fields[1])))
    return table
