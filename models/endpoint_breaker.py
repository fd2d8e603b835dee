"""When to stop sending to a server that only fails, and when to try again.

A server that restarts refuses every connection for a minute. Retrying each row into that burns
the rows' attempts and greets the server with a storm. So the breaker opens after some failures in
a row, or when failures outnumber answers for long (the retry budget). While it is open only a
health poll asks; once that gets through, one request is let in, and its answer closes the breaker.

A row that failed before counts towards the streak only if no connection came about: rows that a
server can never answer must not make a well server look ill when they are the last ones left.
"""

from __future__ import annotations

from typing import Final

STREAK: Final = 10
"""Failures with no answer between them; fewer where fewer requests are in flight."""

RESERVE: Final = 100.0
"""Failures that a server has in credit; each answer gives one back."""


class Breaker:
    """The state of one server: closed (well), open (away), half open (one request may try)."""

    def __init__(self, concurrency: int) -> None:
        self._enough = min(STREAK, 2 + 2 * concurrency)
        self._streak = 0
        self._credit = RESERVE
        self.down_since: float | None = None
        """When it was last found away; None while it is closed."""
        self.trying = False
        """Half open: one request may go."""

    @property
    def is_open(self) -> bool:
        """Away, half open included."""
        return self.down_since is not None

    def answered(self) -> None:
        """A sign of life: an answer, a refusal, or being asked to slow down."""
        if self.is_open:
            self.down_since, self.trying = None, False
            self._credit = RESERVE
        self._streak = 0
        self._credit = min(RESERVE, self._credit + 1)

    def failed(self, now: float, counts: bool) -> bool:
        """A failure; whether the breaker opens by it. `counts`: it adds to the streak."""
        if self.is_open:
            return False
        self._streak += counts
        self._credit -= 1
        if self._streak < self._enough and self._credit > 0:
            return False
        self.open(now)
        return True

    def open(self, now: float) -> None:
        """Take the server for away."""
        self.down_since, self.trying = now, False
        self._streak = 0
