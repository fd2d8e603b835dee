"""Watching what a program writes: three pipes, each up to a limit, until a deadline.

Reading goes on for what fits: whoever writes more is cut there and stopped. Bytes only; nothing is
parsed or decoded here.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import time
from collections.abc import Sequence
from typing import Final, Literal

_READ: Final = 1 << 16
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def sealed(content: bytes) -> int:
    """A descriptor of a file in memory that nobody can change; the caller closes it."""
    descriptor = os.memfd_create("potstill", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    return descriptor


def watch(
    pipes: Sequence[int], limit: int, deadline: float
) -> tuple[list[bytes], Literal["output", "wall"] | None]:
    """Read all pipes until everyone has closed them.

    Args:
        limit: bytes of each pipe.
        deadline: of `time.monotonic()`.

    Returns:
        What each wrote, and what ended the reading early: None where nothing did.
    """
    written = {pipe: bytearray() for pipe in pipes}
    ending: Literal["output", "wall"] | None = None
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and ending is None:
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready and time.monotonic() >= deadline:
                ending = "wall"
            for key, _ in ready:
                got = os.read(key.fd, _READ)
                if not got:
                    selector.unregister(key.fd)
                written[key.fd] += got
                if len(written[key.fd]) > limit:
                    ending = "output"
    return [bytes(held[:limit]) for held in written.values()], ending
