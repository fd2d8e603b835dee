"""A full disk in the words of those who write models: torch's zip writer, safetensors, Python.

Only Python says it with an errno; the others with a text, and torch hides its own below another.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ...pipeline.disk import disk_failure

_TEXTS: Final = {
    "No space left on device": errno.ENOSPC,  # safetensors passes on the system's own words
    "Disk quota exceeded": errno.EDQUOT,
    "PytorchStreamWriter failed": errno.ENOSPC,  # torch.save: it does not say why
    "inline_container.cc": errno.ENOSPC,  # the same, when the zip archive is closed
    "iostream error": errno.ENOSPC,  # and when it is closed by the stream below
}


@contextlib.contextmanager
def told_in_words(what: Path | str) -> Iterator[None]:
    """Inside, a full or broken disk becomes one clear error.

    Args:
        what: what is written, for the message.

    Raises:
        StepFailed: the disk is to blame; every other error stays as it is.
    """
    try:
        yield
    except Exception as error:
        failure = disk_failure(_as_os_error(error), what)
        if failure is None:
            raise
        raise failure from error


def _as_os_error(error: BaseException) -> OSError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause
        for text, number in _TEXTS.items():
            if text in str(cause):
                return OSError(number, text)
        cause = cause.__cause__ or cause.__context__
    return OSError(0, str(error))
