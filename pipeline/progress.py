"""Progress as events: a step says what it has done, and whoever listens draws it.

A step calls `progress.update(done, total, **facts)`; the runner passes events over a pipe and a
view draws a bar with an ETA on a terminal and plain lines elsewhere. The base class listens to
nothing, so code runs the same in a test or a notebook. No drawing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .budget import Spent

Event = dict[str, Any]


class Progress:
    """Sends events to `send`; with no listener it is silent."""

    def __init__(self, send: Callable[[Event], None] | None = None) -> None:
        self._send = send

    def update(self, done: float, total: float | None = None, **facts: Any) -> None:
        """`done` of `total` units (rows, completions, training steps), and facts to show."""
        self._emit({"event": "progress", "done": done, "total": total, "facts": facts})

    def note(self, text: str) -> None:
        """One line that a user should see: an engine not found, rows quarantined."""
        self._emit({"event": "note", "text": text})

    def spent(self, spent: Spent) -> None:
        """All that this step has paid for since it began: the runner's budget goes by it."""
        self._emit(
            {
                "event": "spent",
                "tokens": spent.tokens,
                "requests": spent.requests,
                "usd": spent.usd,
            }
        )

    def _emit(self, event: Event) -> None:
        if self._send is not None:
            self._send(event)
