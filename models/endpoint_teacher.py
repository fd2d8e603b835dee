"""A teacher behind HTTP: rows over servers, and the only layer of retries there is.

An event loop that turns only inside `poll`, in the caller's thread. What fails is asked again,
preferably elsewhere, after the time that the server asked for or exponential backoff with full
jitter; only that row waits, and its slot is free for others. Being told to slow down costs a row
none of its attempts as long as somebody is answered. What a refusal of the request itself says
(400, 404, 422) is that request's failure. What a server can bear is known by endpoint_server.py.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ..pipeline.errors import StepFailed
from .endpoint_answer import LIMITING, NUMERICS, Meaning, Reader, Retry
from .endpoint_body import Bodies
from .endpoint_health import first_look
from .endpoint_http import allow_connections
from .endpoint_loop import Loop
from .endpoint_patience import Patience
from .endpoint_rows import Row, Rows
from .endpoint_server import Server
from .request import Abandoned, Failure, Outcome, Request
from .teacher import EndpointTeacher

CONCURRENCY: Final = 64
BACKOFF_START_S: Final = 0.5
BACKOFF_MOST_S: Final = 30.0

PARKED: Final = 4
"""Rows that may wait for another attempt, for each one that may be in flight."""


@contextmanager
def open_endpoints(
    config: EndpointTeacher,
    template_kwargs: Mapping[str, Any],
    concurrency: int | None,
    note: Callable[[str], None],
    numerics: str = NUMERICS,
) -> Iterator[EndpointPool]:
    """A pool of connections to the servers, looked at before it is handed out.

    `concurrency` is the most in flight at each server that has no limit of its own; `note` takes
    lines that a user should see; `numerics` goes into every completion.

    Raises:
        RequestError: a key is missing or refused, a server does not serve the model, or this
            system does not allow so many connections.
        StepFailed: no server answers.
    """
    reader = Reader(numerics, config.prefills_think)
    most = concurrency or CONCURRENCY
    servers = [Server(each, most, reader, note) for each in config.servers()]
    allow_connections(sum(each.throttle.most for each in servers))
    pool = EndpointPool(servers, Bodies(config.model, template_kwargs), config.attempts)
    try:
        pool.connect(config.model, note)
        yield pool
    finally:
        pool.close()


class EndpointPool:
    """The `Teacher` of models/request.py for servers."""

    def __init__(self, servers: list[Server], bodies: Bodies, attempts: int) -> None:
        self.discarded = 0
        self.withheld = 0
        self._servers = servers
        self._bodies = bodies
        self._attempts = attempts
        self._parked_most = PARKED * sum(each.throttle.most for each in servers)
        self._rows = Rows()
        self._patience = Patience(servers)
        self._outcomes: list[Outcome] = []
        self._draining = False
        self._retries = 0
        self._answered = 0
        self._loop = Loop()

    @property
    def room(self) -> int:
        """How many more requests it would take now."""
        if self._draining or self._loop.error or self._rows.parked >= self._parked_most:
            return 0
        now = time.monotonic()
        return max(0, sum(each.free(now) for each in self._servers) - self._rows.new)

    def submit(self, request: Request) -> None:
        """Begin a request; it is sent in the next `poll`."""
        self._rows.add(Row(request, self._bodies.of(request)))

    def poll(self, seconds: float) -> list[Outcome]:
        """What has finished; see `Teacher.poll`."""
        timed_out = False
        if not self._outcomes:
            self._raise_error()
            self._dispatch()
            now = time.monotonic()
            timed_out = self._loop.turn(max(0.0, min(seconds, self._next_at(now) - now)))
            self._dispatch()
        finished, self._outcomes = self._outcomes, []
        if not finished:
            self._raise_error()
            self._patience.check_away(now := time.monotonic())
            if timed_out and not self._draining:
                self._patience.check_wait(now, self._next_at(now))
        return finished

    def wake(self) -> None:
        """Make a waiting `poll` return soon; safe from any thread, harmless after closing."""
        self._loop.wake()

    def drain(self) -> None:
        """Give back what waits; what is in flight has its one chance."""
        self._draining = True
        self._outcomes += [Abandoned(row.request.key) for row in self._rows.clear()]

    def facts(self) -> dict[str, Any]:
        """Retries, rows that wait, lowered limits, pauses and servers that are away."""
        now = time.monotonic()
        allowed = [each.throttle.allowed(now) for each in self._servers]
        most = sum(each.throttle.most for each in self._servers)
        pause = min(each.throttle.opens_at(now) for each in self._servers) - now
        told = {
            "retries": self._retries,
            "waiting": self._rows.parked,
            "limit": f"{sum(allowed)}/{most}" if sum(allowed) < most else None,
            "paused_s": math.ceil(pause) if not any(allowed) else None,
            "away": ", ".join(each.name for each in self._servers if each.breaker.is_open),
        }
        return {name: value for name, value in told.items() if value}

    def connect(self, model: str, note: Callable[[str], None]) -> None:
        """See who is there; see `open_endpoints`."""
        self._loop.run(self._connect(model, note))

    def close(self) -> None:
        """Abandon what is in flight and close the connections."""
        self._loop.close(self._disconnect())

    async def _connect(self, model: str, note: Callable[[str], None]) -> None:
        for server in self._servers:
            await server.wire.open()
        there = await first_look([each.wire for each in self._servers], model, note)
        for server, is_there in zip(self._servers, there, strict=True):
            if not is_there:
                server.breaker.open(time.monotonic())
                self._loop.spawn(server.recover(self._loop.stop_soon))

    async def _disconnect(self) -> None:
        for server in self._servers:
            await server.wire.close()

    def _dispatch(self) -> None:
        """Send as much as the servers take."""
        now = time.monotonic()
        places = self._places(now)
        while places > 0 and not (self._draining or self._loop.error):
            free = [each for each in self._servers if each.free(now)]
            if not free or (row := self._rows.take(now)) is None:
                return
            server = _freest(free, row, now)
            if server is None:  # only where it must not go yet is room
                self._rows.park(row, self._due(row, now))
                continue
            places -= 1
            aside = server.take(row.request, now)
            self._loop.spawn(self._attempt(row, server, aside))

    async def _attempt(self, row: Row, server: Server, aside: float) -> None:
        try:
            meaning = await server.ask(row.request, row.body)
        except Exception:  # kept by the loop, raised by the next poll
            server.in_flight -= 1
            raise
        self._settle(row, server, meaning, aside)
        self._loop.stop_soon()

    def _settle(self, row: Row, server: Server, meaning: Meaning, aside: float) -> None:
        now = time.monotonic()
        if not isinstance(meaning, Retry):
            server.settle(meaning, now, False, 0.0, aside)
            self._answered += 1
            self._patience.answered()
            self._outcomes.append(meaning)
            return
        ceiling = min(BACKOFF_MOST_S, BACKOFF_START_S * 2 ** min(row.doublings, 16))
        wait = meaning.after_s or random.uniform(0, ceiling)
        if server.settle(meaning, now, row.attempts == 0, wait, aside):
            self._loop.spawn(server.recover(self._loop.stop_soon))
        self._retries += 1
        self.discarded += meaning.paid
        self._again(row, server, meaning, now, wait)

    def _again(self, row: Row, server: Server, retry: Retry, now: float, wait: float) -> None:
        """Let a row wait for its next attempt, if it has one."""
        if self._draining:
            self._outcomes.append(Abandoned(row.request.key))
            return
        others_fare_well = self._answered > row.answered_before
        row.answered_before = self._answered
        if retry.reason in LIMITING:
            self._patience.refused(now)
        if retry.reason not in LIMITING or not others_fare_well:
            row.attempts += 1
        if row.attempts >= self._attempts:
            told = f"after {row.attempts} attempts: {retry.detail}"
            self._outcomes.append(Failure(row.request.key, retry.reason, told))
            return
        row.doublings += 0.5 if others_fare_well else 1.0
        row.last = server
        row.not_before[server] = now + wait * random.uniform(1, 1.1)
        self._rows.park(row, self._due(row, now))

    def _due(self, row: Row, now: float) -> float:
        """When a row may be sent again: soon to a server that it did not fail at."""
        if len(self._servers) == 1:
            return row.not_before[self._servers[0]]
        soon = now + random.uniform(0.1, 1) * BACKOFF_START_S
        there = [each for each in self._servers if not each.breaker.is_open] or self._servers
        return min(max(soon, row.not_before.get(each, soon)) for each in there)

    def _places(self, now: float) -> int:
        """How many rows may be sent: an answer keeps its place until it is written."""
        free = sum(each.free(now) for each in self._servers)
        return free - self.withheld - len(self._outcomes)

    def _next_at(self, now: float) -> float:
        """When there is something to do without anything happening; infinite if never."""
        if self._draining:
            return math.inf
        if any(each.free(now) for each in self._servers):
            return self._rows.soonest if self._places(now) > 0 else math.inf
        return min(each.opens_at(now) for each in self._servers)

    def _raise_error(self) -> None:
        """Raise what ends the run; answers that are paid for come home first."""
        error = self._loop.error
        if error is None:
            return
        worthless = isinstance(error, StepFailed)  # what answers is not the model
        if worthless or not any(each.in_flight for each in self._servers):
            raise error


def _freest(free: list[Server], row: Row, now: float) -> Server | None:
    """The server with most room; the one where the row failed last only if there is no other."""
    if len(free) == 1 and not row.not_before:
        return free[0]
    able = [each for each in free if row.not_before.get(each, 0.0) <= now]
    others = [each for each in able if each is not row.last]
    return max(others or able, key=lambda each: each.share(now), default=None)
