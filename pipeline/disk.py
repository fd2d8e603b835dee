"""A disk that is full or broken, in words: what could not be written and what helps.

Only errors that say something of the disk are translated; every other OSError keeps its own text.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from .errors import StepFailed

_AGAIN = "Then run the same command again: what is finished is kept."
_REMEDIES: Final = {
    errno.ENOSPC: "Free some space there, or choose another place with --work DIR.",
    errno.EDQUOT: "Free some of the quota, or choose another place with --work DIR.",
    errno.EIO: "The disk or its mount has a fault: check it (the kernel's log names it).",
}


def disk_failure(error: OSError, what: Path | str) -> StepFailed | None:
    """The error to raise in its place if the disk is to blame, else None.

    Args:
        what: what was being written, for the message.
    """
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    reason = os.strerror(error.errno or 0).lower()
    return StepFailed(f"{what} could not be written: {reason}. {remedy} {_AGAIN}")
