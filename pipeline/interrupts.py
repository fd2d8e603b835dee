"""Ctrl-C and SIGTERM as wishes that are counted, while the runner watches a step's process.

Python raises KeyboardInterrupt at whatever line it happens to be; in the middle of starting or
ending a process that loses the wish or the process. So while a step runs, signals only add to
`count` and make `reader` readable, and the runner acts on them where it waits. Everywhere else
they interrupt as usual. A signal that was ignored, or left to end the process, stays so.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, Final

WISHES: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context manager, usable again and again; `count` is kept in between.

    Outside the main thread, where Python takes no signals, it counts nothing.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last = ""
        """The last wish, for messages: Ctrl-C or SIGTERM."""
        self.reader = self._writer = -1
        self._counting = False
        self._most = math.inf
        """Wishes that are only counted; one more interrupts."""
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)
        if threading.current_thread() is threading.main_thread():
            for wish in WISHES:
                handler = signal.getsignal(wish)
                if callable(handler):
                    self._previous[wish] = handler
                    signal.signal(wish, self._handle)
        self._counting = True
        return self

    def __exit__(self, *error: object) -> None:
        # From here on a signal interrupts again, even in the middle of these lines.
        self._counting = False
        for wish, handler in self._previous.items():
            signal.signal(wish, handler)
        os.close(self._writer)
        os.close(self.reader)

    @contextlib.contextmanager
    def one_deferred(self) -> Iterator[None]:
        """Inside, the first wish of all is only counted; a second one interrupts at once."""
        with self:
            self._most = 1
            try:
                yield
            finally:
                self._most = math.inf

    def heard(self) -> None:
        """Make `reader` silent until the next signal; look at `count` afterwards."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.reader, 1024)

    def _handle(self, signum: int, frame: Any) -> None:
        if not self._counting:
            self._previous[signum](signum, frame)
            return
        self.count += 1
        self.last = "Ctrl-C" if signum == signal.SIGINT else signal.Signals(signum).name
        with contextlib.suppress(BlockingIOError):  # full: it is readable already
            os.write(self._writer, b".")
        if self.count > self._most:
            self._previous[signum](signum, frame)


@contextlib.contextmanager
def blocked(*signals: signal.Signals) -> Iterator[None]:
    """Inside, these signals wait; a process started inside begins with them waiting, too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
