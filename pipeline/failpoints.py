"""Named places where a test lets the disk fail or the process die.

    POTSTILL_FAILPOINT=shard.rename.before:2:kill potstill run recipe.yaml

fails the second time that this point is passed in a process: `kill` is a kill -9 of itself,
`enospc` a full disk, `eio` a broken one. Every write that must survive a crash passes points
before and after each of its steps, so a test can try them all (tests/pipeline/test_failpoints.py
and the crash tests). The variable is read once, when this module is imported; without it a point
costs the call of an empty function.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass
from typing import Final

from .errors import RequestError
from .suggest import suggest

VARIABLE: Final = "POTSTILL_FAILPOINT"

FAMILIES: Final = ("shard", "manifest", "announce", "file")
"""What is written by `shards.atomic_path`: data, what makes it an artifact, who runs, the rest."""
MOMENTS: Final = (
    "write.before", "write.after", "fsync.before", "fsync.after",
    "rename.before", "rename.after", "dirsync.before", "dirsync.after",
)  # fmt: skip
FAIL_POINTS: Final = (
    *(f"{family}.{moment}" for family in FAMILIES for moment in MOMENTS),
    "journal.open",
    "journal.commit.before",
    "journal.commit.inside",
    "journal.commit.after",
    "journal.sync.before",
    "journal.sync.after",
)
"""All names there are; a test compares them with the source."""

_ERRORS: Final = {"enospc": errno.ENOSPC, "eio": errno.EIO}
ACTIONS: Final = ("kill", *_ERRORS)


@dataclass
class _Armed:
    """The one point that will fail in this process, and how often it must be passed until then."""

    name: str
    left: int
    action: str

    def passed(self, name: str) -> None:
        if name != self.name:
            return
        self.left -= 1
        if self.left == 0:
            self._fail()

    def _fail(self) -> None:
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        code = _ERRORS[self.action]
        raise OSError(code, os.strerror(code))


def parse(text: str) -> _Armed | None:
    """What the variable's value arms; None where it is empty.

    Raises:
        RequestError: it is not `name:k:action`.
    """
    if not text:
        return None
    name, times, action = [*text.split(":"), "", ""][:3]
    form = f"{VARIABLE}={text}: expected NAME:K:ACTION"
    if name not in FAIL_POINTS:
        raise RequestError(f"{form}; {name!r} is no fail point; {suggest(name, FAIL_POINTS)}")
    if not times.isdecimal() or int(times) < 1 or action not in ACTIONS or text.count(":") != 2:
        raise RequestError(f"{form} with K from 1 and ACTION one of {', '.join(ACTIONS)}")
    return _Armed(name, int(times), action)


_armed = parse(os.environ.get(VARIABLE, ""))


def fail_point(name: str) -> None:
    """Fail here if this is the armed point's hour; otherwise nothing."""
    if _armed is not None:
        _armed.passed(name)
