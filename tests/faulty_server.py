"""A server on the loopback that speaks the OpenAI protocol badly, on purpose, and keeps a ledger.

A request is told from others by its body. Its first attempts meet the faults that `plan` gives
for it, then it is answered; the answer is a function of the body, so it is the same with and
without faults. The ledger lists every attempt, so a test can see what was asked and paid.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

RETRYABLE = (
    "429",
    "429_retry_after",
    "408",
    "409",
    "500",
    "503_html",
    "reset",
    "cut_body",
    "hang",
    "slow_drip",
    "html_200",
    "error_object_200",
    "no_choices",
    "empty_choices",
    "two_choices",
    "null_content",
    "content_is_a_list",
    "no_finish_reason",
    "null_finish_reason",
    "malformed_json",
    "deep_json",
    "not_utf8",
)
PERMANENT = {
    "400": "bad_request",
    "400_context": "prompt_too_long",
    "404": "not_found",
    "422": "unprocessable",
    "302": "bad_request",
    "content_filter": "content_filter",
    "tool_calls": "unexpected_finish",
    "surrogate": "not_unicode",
}

Plan = Callable[[int], list[str]]
"""Faults of the n-th different request, one for each of its first attempts."""


@dataclass
class FaultyServer:
    plan: Plan = lambda number: []
    reasoning: bool = False
    """Send the thought apart, as reasoning parsers do."""
    url: str = ""
    attempts: list[tuple[str, str]] = field(default_factory=list)
    """(request, fault or "answered") in order of arrival."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    most_at_once: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    _at_once: int = 0

    @property
    def paid(self) -> Counter[str]:
        """How often each request was answered in full."""
        return Counter(request for request, what in self.attempts if what == "answered")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.add(request.headers.get("Authorization"))
        name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
        number = self._numbers.setdefault(name, len(self._numbers))
        before = sum(1 for seen, _ in self.attempts if seen == name)
        faults = self.plan(number)
        fault = faults[before] if before < len(faults) else "answered"
        self.attempts.append((name, fault))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0.002)
            return await self._respond(request, fault, self.answer(body, name))
        finally:
            self._at_once -= 1

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

    async def _respond(
        self, request: web.Request, fault: str, good: dict[str, Any]
    ) -> web.StreamResponse:
        choice = good["choices"][0]
        match fault:
            case "429_retry_after":
                return web.Response(status=429, headers={"Retry-After": "0.05"})
            case "429_long":
                return web.Response(status=429, headers={"Retry-After": "3600"})
            case "503_html" | "html_200":
                page = "<html>upstream gone</html>"
                status = 503 if fault == "503_html" else 200
                return web.Response(status=status, text=page, content_type="text/html")
            case "400_context":
                text = "This model's maximum context length is 16 tokens."
                return web.json_response({"error": {"message": text}}, status=400)
            case "302":
                return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})
            case "401_echo":
                told = f"Incorrect API key provided: {request.headers['Authorization']}"
                return web.json_response({"error": {"message": told}}, status=401)
            case _ if fault.isdecimal():
                return web.json_response({"error": {"message": fault}}, status=int(fault))
            case "reset":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "hang":
                await asyncio.sleep(30)
            case "cut_body" | "slow_drip":
                return await self._drip(request, fault)
            case "error_object_200":
                good = {"error": {"message": "overloaded", "code": 500}}
            case "no_choices":
                del good["choices"]
            case "empty_choices":
                good["choices"] = []
            case "two_choices":
                good["choices"] *= 2
            case "null_content":
                choice["message"] = {"role": "assistant", "content": None}
            case "content_is_a_list":
                choice["message"]["content"] = ["<think>"]
            case "no_finish_reason":
                del choice["finish_reason"]
            case "null_finish_reason":
                choice["finish_reason"] = None
            case "length" | "content_filter" | "tool_calls":
                choice["finish_reason"] = fault
            case "surrogate":
                choice["message"]["content"] = "half \ud800 a character"
            case "malformed_json":
                return web.Response(text=json.dumps(good)[:-9], content_type="application/json")
            case "deep_json":
                return web.Response(text="[" * 50_000, content_type="application/json")
            case "not_utf8":
                return web.Response(body=b'{"choices": "\xff"}', content_type="application/json")
            case "answered":
                pass
            case _:
                raise AssertionError(f"no such fault: {fault}")
        return web.json_response(good)

    async def _drip(self, request: web.Request, fault: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        for _ in range(100 if fault == "slow_drip" else 1):
            await response.write(b"{")
            await asyncio.sleep(0.05 if fault == "slow_drip" else 0)
        assert request.transport is not None
        request.transport.abort()
        return response


@contextmanager
def serving(server: FaultyServer) -> Iterator[FaultyServer]:
    """The server on a free port of the loopback, in a thread of its own."""
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def stop() -> None:
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # handlers that hang
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    server.url = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
