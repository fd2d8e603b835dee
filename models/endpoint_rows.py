"""Requests on their way, and those that wait for another attempt.

A row that has to wait holds no slot: others are sent meanwhile. What is due comes before what is
new, so a row is not overtaken forever. Nothing here knows a server's limits.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .request import Request

if TYPE_CHECKING:
    from .endpoint_server import Server


@dataclass(slots=True)
class Row:
    """One request and what happened to it so far."""

    request: Request
    body: bytes
    attempts: int = 0
    """Sent how often, of those attempts that count."""
    doublings: float = 0.0
    """Of its backoff: it grows slowly while others are answered, since then the row was unlucky
    and the server is well."""
    last: Server | None = None
    """Where it failed last: another server is tried first."""
    not_before: dict[Server, float] = field(default_factory=dict)
    """When each server that it failed at may be asked again."""
    answered_before: int = -1
    """How many answers there had been when it failed last."""


class Rows:
    """Those that are not in flight: new ones in order, waiting ones by time."""

    def __init__(self) -> None:
        self._new: deque[Row] = deque()
        self._parked: list[tuple[float, int, Row]] = []
        self._number = itertools.count()

    @property
    def new(self) -> int:
        """How many wait for their first attempt."""
        return len(self._new)

    @property
    def parked(self) -> int:
        """How many wait for another attempt."""
        return len(self._parked)

    @property
    def soonest(self) -> float:
        """When the first of those that wait may be sent; infinite if none waits."""
        return self._parked[0][0] if self._parked else math.inf

    def add(self, row: Row) -> None:
        """Take a new one."""
        self._new.append(row)

    def park(self, row: Row, until: float) -> None:
        """Let one wait until a time of the monotonic clock."""
        heapq.heappush(self._parked, (until, next(self._number), row))

    def take(self, now: float) -> Row | None:
        """Take out the one to send next: those that are due come first."""
        if self._parked and self._parked[0][0] <= now:
            return heapq.heappop(self._parked)[2]
        return self._new.popleft() if self._new else None

    def clear(self) -> list[Row]:
        """Take out all."""
        rows = [row for _, _, row in sorted(self._parked)] + list(self._new)
        self._parked.clear()
        self._new.clear()
        return rows
