"""How many requests one server may have in flight, learned from what it refuses.

Two things look alike: a server that refuses one request in ten at random, and one that is full.
Pausing everything at each refusal makes the first 16 times slower than it need be; never slowing
down hammers the second. They differ in what else happens. So single refusals change nothing here
(their rows wait by themselves), and only when half of the recent outcomes are refusals is it the
server's limit. Then the limit is halved, though not below what the server is working on; until
the time that it asked for has passed, the gate shrinks with each refusal and opens slowly with
answers: a full server stays full, one that answers nobody comes to rest. Afterwards the limit
grows steadily with the answers.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

WINDOW: Final = 32
ENOUGH: Final = WINDOW // 2
"""Refusals within the window that make it the server's limit."""

REOPENING: Final = 0.25
"""Of a slot, for each answer while the gate is held: at most one refusal for four answers."""

HELD_S: Final = 1.0
"""A limit that was met is believed for so long at least, even where the server asks for less."""

STEPS: Final = 16
"""Rounds of answers in which the limit grows from nothing to its full size."""


class Throttle:
    """The limit of one server. Times are seconds of one monotonic clock."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self._held_until = 0.0
        """While the clock is before it, the gate decides what is let through."""
        self._gate = 0.0
        self._asked_until = 0.0
        """Until then the server asked to be left alone: a closed gate lets nobody through."""
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._refusals = 0

    def allowed(self, now: float) -> int:
        """How many may be in flight now; 0 is a pause."""
        if now >= self._held_until:
            return int(self.limit)
        gate = int(min(self._gate, self.limit))
        return gate or int(now >= self._asked_until)

    def opens_at(self, now: float) -> float:
        """When more is allowed though nothing has happened; infinite if nothing is held back."""
        if now >= self._held_until:
            return math.inf
        closed = self._gate < 1 and now < self._asked_until
        return min(self._held_until, self._asked_until) if closed else self._held_until

    def answered(self, now: float) -> None:
        """The server answered something."""
        if now < self._held_until:
            self._gate = min(self.limit, self._gate + REOPENING)
            return
        self._note(False)
        if self.limit < self.most:
            step = max(1.0, self.most / STEPS)
            self.limit = min(float(self.most), self.limit + step / self.limit)

    def refused(self, now: float, in_flight: int, wait: float) -> None:
        """The server said that it is too much (or took too long), with `in_flight` others left."""
        if now < self._held_until:
            self._gate = max(0.0, self._gate - 1)
            self._hold(now, wait)
            return
        self._note(True)
        if self._refusals >= ENOUGH:
            self.limit = max(1.0, self.limit / 2, float(in_flight))
            self._gate = float(in_flight)
            self._hold(now, wait)
            self._recent.clear()
            self._refusals = 0

    def _hold(self, now: float, wait: float) -> None:
        self._asked_until = max(self._asked_until, now + wait)
        self._held_until = max(self._asked_until, now + HELD_S)

    def _note(self, refusal: bool) -> None:
        if len(self._recent) == WINDOW:
            self._refusals -= self._recent[0]
        self._recent.append(refusal)
        self._refusals += refusal
