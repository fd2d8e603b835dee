"""One server of a teacher: what it can bear just now, and what its answers say of its health.

It joins the wire with the limits (throttle, minute buckets), the breaker and the watch over what
answers. It decides whether a request may be sent and what an outcome means for the server; what it
means for the row (another attempt, a failure) is the teacher's business.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from typing import Final

from ..pipeline.errors import StoppedOnPurpose
from .endpoint_answer import LIMITING, Meaning, Reader, Retry
from .endpoint_breaker import Breaker
from .endpoint_health import is_alive, refused_key
from .endpoint_http import Reply, Wire
from .endpoint_rate import REQUESTS_HELD_S, TOKENS_HELD_S, Bucket
from .endpoint_throttle import Throttle
from .endpoint_watch import Watch
from .request import Completion, Request
from .teacher import Endpoint

POLL_START_S: Final = 0.5
POLL_MOST_S: Final = 10.0

_NO_CREDIT: Final = (b"insufficient_quota", b"insufficient balance", b"insufficient_balance")
_LETTERS: Final = 4
"""Of a token, roughly, where a server does not count."""


class Server:
    """Sends requests to one endpoint. Times are seconds of the monotonic clock."""

    def __init__(
        self, endpoint: Endpoint, concurrency: int, reader: Reader, note: Callable[[str], None]
    ) -> None:
        most = endpoint.concurrency or concurrency
        self.name = endpoint.name
        self.wire = Wire(endpoint)
        self.throttle = Throttle(most)
        self.breaker = Breaker(most)
        self.in_flight = 0
        self._reader = reader
        self._note = note
        self._watch = Watch(endpoint.name, note)
        self._settled = asyncio.Event()
        per_minute, tokens = endpoint.requests_per_minute, endpoint.tokens_per_minute
        self._requests = Bucket(per_minute, REQUESTS_HELD_S) if per_minute else None
        self._tokens = Bucket(tokens, TOKENS_HELD_S) if tokens else None
        self._mean: float | None = None
        """Tokens of a request, from the answers so far."""

    def free(self, now: float) -> int:
        """How many requests it would take now."""
        if self.breaker.is_open:
            return int(self.breaker.trying)
        slots = self.throttle.allowed(now) - self.in_flight
        if slots > 0 and self._requests is not None:
            slots = min(slots, int(self._requests.level(now) + 1e-6))
        if slots > 0 and self._tokens is not None:
            slots = min(slots, math.ceil(self._tokens.level(now) / (self._mean or 1.0)))
        return max(0, slots)

    def share(self, now: float) -> float:
        """The free part of its limit, from 0 to 1: what load is balanced by."""
        return self.free(now) / self.throttle.most

    def opens_at(self, now: float) -> float:
        """When time alone makes it free; infinite where something has to happen first."""
        if self.breaker.is_open:
            return math.inf
        if self.throttle.allowed(now) <= self.in_flight:
            return self.throttle.opens_at(now)
        waits = [now]
        if self._requests is not None:
            waits.append(self._requests.next_at(now, 1.0))
        if self._tokens is not None:
            waits.append(self._tokens.next_at(now, 1.0))
        return max(waits)

    def take(self, request: Request, now: float) -> float:
        """Count a request as sent; returns the tokens set aside for it."""
        self.in_flight += 1
        self.breaker.trying = False
        if self._requests is not None:
            self._requests.take(now, 1)
        if self._tokens is None:
            return 0.0
        guess = request.sampling.max_tokens if self._mean is None else self._mean
        self._tokens.take(now, guess)
        return float(guess)

    async def ask(self, request: Request, body: bytes) -> Meaning:
        """Send it and read the answer.

        Raises:
            RequestError: the key is refused.
            StoppedOnPurpose: the account has no credit.
            StepFailed: what answers is not the model, or another one than before.
        """
        reply = await self.wire.post(body)
        if isinstance(reply, Retry):
            return reply
        if reply.status != 200:
            self._stop_if_closed(reply)
        meaning = self._reader.read(request, *reply)
        if isinstance(meaning, Completion):
            self._watch.saw(request, meaning)
        return meaning

    def settle(self, meaning: Meaning, now: float, fresh: bool, wait: float, aside: float) -> bool:
        """Learn from an outcome; whether the server is now taken for away.

        `fresh`: the row had not failed before; `wait`: how long the row waits if it is to be asked
        again; `aside`: the tokens set aside for it.
        """
        self.in_flight -= 1
        if self._tokens is not None:
            self._count_tokens(meaning, now, aside)
        if not isinstance(meaning, Retry):
            self.throttle.answered(now)
            self._lives()
            return False
        if meaning.reason in LIMITING:
            self.throttle.refused(now, self.in_flight, wait)
            self._lives()
            return False
        if meaning.reason == "timeout":
            self.throttle.refused(now, self.in_flight, wait)
        self._settled.set()
        lost = meaning.reason == "connection_failed"
        return self.breaker.failed(now, fresh or lost)

    async def recover(self, changed: Callable[[], None]) -> None:
        """Ask a server that is away whether it is back, until a request is answered again."""
        delay, told = POLL_START_S, False
        while self.breaker.is_open:
            self._settled.clear()
            if await is_alive(self.wire):
                self.breaker.trying = self.breaker.is_open
                changed()
                await self._settled.wait()
            elif not told:
                self._note(f"{self.name} is away; it is asked again until it answers.")
                told = True
            if self.breaker.is_open:
                await asyncio.sleep(delay * random.uniform(0.5, 1))
                delay = min(POLL_MOST_S, 2 * delay)
        if told:
            self._note(f"{self.name} answers again.")

    def _lives(self) -> None:
        self.breaker.answered()
        self._settled.set()

    def _stop_if_closed(self, reply: Reply) -> None:
        told = f"HTTP {reply.status}: {reply.body[:300].decode('utf-8', 'replace')}"
        if reply.status in (401, 403):
            raise refused_key(self.wire, told)
        words = reply.body[:2000].lower() if reply.status == 429 else b""
        if reply.status == 402 or any(phrase in words for phrase in _NO_CREDIT):
            raise StoppedOnPurpose(
                f"{self.name} says that the account has no credit left ({told}). All answers so "
                "far are kept; add credit and run the same command again."
            )

    def _count_tokens(self, meaning: Meaning, now: float, aside: float) -> None:
        """Put back what was set aside, take what it really was."""
        assert self._tokens is not None
        if not isinstance(meaning, Completion):
            paid = isinstance(meaning, Retry) and meaning.paid
            self._tokens.take(now, 0.0 if paid else -aside)
            return
        if meaning.prompt_tokens is None or meaning.completion_tokens is None:
            used = len(meaning.raw or "") / _LETTERS
        else:
            used = float(meaning.prompt_tokens + meaning.completion_tokens)
        self._mean = used if self._mean is None else 0.9 * self._mean + 0.1 * used
        self._tokens.take(now, used - aside)
