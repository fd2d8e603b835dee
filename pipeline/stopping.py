"""A wish to stop, and how a step may answer it.

The first Ctrl-C (or a time limit) asks a step to stop. A step that can end cleanly by itself, as
generation can by letting what is in flight come home, works inside `deferred` and looks at
`requested` between its rounds. Every other step is interrupted on the spot, and so is everyone by
a second wish. Signals reach the main thread alone, so it alone defers: a thread beside it that buys
too (a judge's) just looks at `requested`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class StopSignal:
    """One per step; `request` is called from a signal handler.

    Args:
        tell: is told True when the step begins to defer and False when it ends, so that the
            runner knows whom to leave the time to finish.
    """

    def __init__(self, tell: Callable[[bool], None] = lambda deferring: None) -> None:
        self._tell = tell
        self._deferred = False
        self.requested = False

    def request(self) -> None:
        """Ask to stop.

        Raises:
            KeyboardInterrupt: at once, if nobody defers it or it is the second wish.
        """
        again, self.requested = self.requested, True
        if again or not self._deferred:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside, the first wish only sets `requested`; nothing changes in another thread.

        Raises:
            KeyboardInterrupt: a wish was there before the block was entered.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        if self.requested:
            raise KeyboardInterrupt
        try:
            self._tell(True)
            self._deferred = True
            yield
        finally:
            self._deferred = False
            self._tell(False)
