"""An event loop that turns only when it is told to, in the thread that asks.

Turning it once for each answer would cost more than the answer. So `turn` runs until something has
happened, lets whatever else is ready be done too, and hands the thread back. What a task raises is
kept for the caller: nothing fails unseen in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


class Loop:
    """One thread uses it; only `wake` is for others."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        """What a task raised first."""
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timed_out = False
        self._stopping = False
        self._woken = False
        self._closing = False

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run one thing to its end, and raise what it raises; an interrupt leaves it to `close`."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._loop.run_until_complete(task)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begin a task; it goes on whenever the loop turns."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def turn(self, seconds: float) -> bool:
        """Run until `stop_soon` or `wake`, for `seconds` at most; whether these passed."""
        self._timed_out = False
        timer = self._loop.call_later(seconds, self._time_out)
        try:
            self._loop.run_forever()
        finally:
            timer.cancel()
            self._stopping = False
        return self._timed_out

    def stop_soon(self) -> None:
        """End the turn after what is ready now; called by tasks."""
        if not self._stopping:
            self._stopping = True
            self._loop.call_soon(self._end_turn)

    def wake(self) -> None:
        """End the turn, or the next one at once; safe from any thread, harmless after closing."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # closed
                self._loop.call_soon_threadsafe(self._wake_up)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel the tasks, run `last`, and close."""
        self._closing = True  # a wish to end a turn that is still queued must not end this
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(self._gather())
        self._loop.run_until_complete(last)
        self._loop.close()

    async def _gather(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.error = self.error or error
            self.stop_soon()

    def _time_out(self) -> None:
        self._timed_out = True
        self._end_turn()

    def _end_turn(self) -> None:
        if not self._closing:
            self._loop.stop()

    def _wake_up(self) -> None:
        self._woken = False
        self.stop_soon()
