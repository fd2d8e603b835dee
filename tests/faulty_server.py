"""A server on the loopback that speaks the OpenAI protocol badly, on purpose, and keeps a ledger.

A request is told from others by its body. Its first attempts meet the faults that `plan` gives for
it, or those that chance gives (`rates`, a function of seed, request and attempt); then it is
answered. The answer is a function of the body, so it is the same with and without faults. The
ledger lists every attempt, so a test can see what was asked and paid.

As a process of its own, for tests that kill the other side:

    python -m faulty_server --port 0 --seed 1 --fault-rate 0.2 --ledger calls.jsonl

It prints its URL on the first line of its output.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web
from server_faults import PERMANENT, RETRYABLE, fault_by_chance, is_free, respond, typical

__all__ = ["PERMANENT", "RETRYABLE", "FaultyServer", "serving", "switchable", "typical"]

Plan = Callable[[int], list[str]]
"""Faults of the n-th different request, one for each of its first attempts."""


@dataclass
class FaultyServer:
    plan: Plan = lambda number: []
    rates: Mapping[str, float] = field(default_factory=dict)
    """Probability of each fault at each attempt; what `plan` says comes first."""
    seed: int = 0
    reasoning: bool = False
    """Send the thought apart, as reasoning parsers do."""
    latency_s: float = 0.002
    capacity: int | None = None
    """Most requests at once; more are refused with 429."""
    per_second: float | None = None
    """Most requests in each second, by the clock; more are refused with 429."""
    retry_after: str | None = "0.05"
    """Sent with refusals; None sends no such header."""
    served: list[str] | None = None
    """Names that GET /v1/models lists; None: there is no such list (404)."""
    models_fault: str = ""
    ledger: TextIO | None = None
    """Gets a line of JSON for each attempt."""
    url: str = ""
    attempts: list[tuple[str, str]] = field(default_factory=list)
    """(request, fault or "answered") in order of arrival."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    most_at_once: int = 0
    looked: int = 0
    """How often the list of models was asked for."""
    _numbers: dict[str, int] = field(default_factory=dict)
    _met: Counter[str] = field(default_factory=Counter)
    _at_once: int = 0
    _second: tuple[int, int] = (0, 0)

    @property
    def paid(self) -> Counter[str]:
        """How often each request was answered in full."""
        return Counter(request for request, what in self.attempts if what == "answered")

    @property
    def discarded(self) -> int:
        """Answers that were generated and of no use to the asker."""
        return sum(what != "answered" and not is_free(what) for _, what in self.attempts)

    @property
    def refused(self) -> int:
        """Requests above `capacity` or `per_second`."""
        return sum(what == "429_capacity" for _, what in self.attempts)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.add(request.headers.get("Authorization"))
        name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
        fault = self._fault(name)
        self.attempts.append((name, fault))
        if self.ledger is not None:
            self.ledger.write(json.dumps({"request": name, "what": fault}) + "\n")
            self.ledger.flush()
        if fault == "429_capacity":
            return web.Response(status=429, headers=self._wait())
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0 if is_free(fault) else self.latency_s)
            return await respond(request, fault, self.answer(body, name), self._wait())
        finally:
            self._at_once -= 1

    async def models(self, request: web.Request) -> web.StreamResponse:
        self.looked += 1
        self.keys.add(request.headers.get("Authorization"))
        match self.models_fault:
            case "":
                if self.served is None:
                    return web.Response(status=404)
                return web.json_response({"data": [{"id": name} for name in self.served]})
            case "hang":
                await asyncio.sleep(30)
            case "html":
                return web.Response(text="<html>hello</html>", content_type="text/html")
            case "reset":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        return web.Response(status=int(self.models_fault))

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        thought, rest = (
            f"{len(body['messages'])} turns, {name}",
            f"The answer is \\boxed{{{name}}}.",
        )
        message = {"role": "assistant", "content": f"<think>\n{thought}\n</think>\n{rest}"}
        if self.reasoning:
            message = {"role": "assistant", "content": rest, "reasoning_content": f"\n{thought}\n"}
        return {
            "id": name,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7},
        }

    def _fault(self, name: str) -> str:
        if self.capacity is not None and self._at_once >= self.capacity:
            return "429_capacity"
        if self.per_second is not None:
            second = int(asyncio.get_running_loop().time())
            count = self._second[1] + 1 if self._second[0] == second else 1
            self._second = (second, count)
            if count > self.per_second:
                return "429_capacity"
        faults = self.plan(self._numbers.setdefault(name, len(self._numbers)))
        attempt = self._met[name]
        self._met[name] += 1
        if attempt < len(faults):
            return faults[attempt]
        return fault_by_chance(self.rates, self.seed, name, attempt)

    def _wait(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}


class Running:
    """A server that listens, in whatever loop calls it; it can go away and come back."""

    def __init__(self, server: FaultyServer, port: int = 0) -> None:
        self._server = server
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", self._server.handle)
        app.router.add_get("/v1/models", self._server.models)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self._server.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Close the port and break off what is being answered."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # handlers that hang
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Switch:
    """Turns a running server off and on again, from the test's thread."""

    def __init__(self, running: Running, loop: asyncio.AbstractEventLoop) -> None:
        self._running = running
        self._loop = loop

    def off(self) -> None:
        self._do(self._running.stop())

    def on(self) -> None:
        self._do(self._running.start())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=10)


@contextmanager
def switchable(server: FaultyServer) -> Iterator[Switch]:
    """The server on a free port of the loopback, in a thread of its own; it keeps its port."""
    loop = asyncio.new_event_loop()
    switch = Switch(Running(server), loop)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        switch.on()
        yield switch
    finally:
        switch.off()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def serving(server: FaultyServer) -> Iterator[FaultyServer]:
    """The server on a free port of the loopback, in a thread of its own."""
    with switchable(server):
        yield server


async def _serve(server: FaultyServer, port: int) -> None:
    running = Running(server, port)
    await running.start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await running.stop()


def main() -> None:
    """The server as a process; it ends with Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault-rate", type=float, default=0.0)
    parser.add_argument("--retry-after", default="1")
    parser.add_argument("--latency", type=float, default=0.002, help="seconds")
    parser.add_argument("--capacity", type=int)
    parser.add_argument("--ledger", type=Path, help="a file that gets a line for each attempt")
    told = parser.parse_args()
    with contextlib.ExitStack() as stack:
        ledger = None
        if told.ledger is not None:
            ledger = stack.enter_context(told.ledger.open("a", encoding="utf-8"))
        server = FaultyServer(
            rates=typical(told.fault_rate),
            seed=told.seed,
            retry_after=told.retry_after,
            latency_s=told.latency,
            capacity=told.capacity,
            ledger=ledger,
        )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(server, told.port))


if __name__ == "__main__":
    main()
