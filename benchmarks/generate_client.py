"""Completed requests a second of one client core against an instant server on another core.

Three clients make the same requests: the `generate` step (journal, verification of every response
and the dataset included), the openai client and a bare aiohttp loop (both write nothing). Each
runs in a process of its own, pinned to core 0, after a warm-up of its imports; the server runs
on core 1. With a latency the wall time is compared with the ideal, requests x latency / in flight.

    python benchmarks/generate_client.py CLIENT IN_FLIGHT REQUESTS LATENCY    # one cell, as JSON
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import instant_server
import one_step

CLIENTS = ("potstill", "openai", "aiohttp")
MAX_TOKENS = 50


def potstill(url: str, requests: int, in_flight: int) -> float:
    """Seconds of the step, dataset included."""
    config = {
        "teacher": {"engine": "openai", "base_url": url, "model": "instant"},
        "sampling": {"max_tokens": MAX_TOKENS},
        "concurrency": in_flight,
    }
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        few = one_step.artifact_of(work / "few", one_step.made_problems(10))
        one_step.run_step(config, few, work)  # imports and thread starts
        problems = one_step.artifact_of(
            work / "problems", (sample for sample in one_step.made_problems(requests + 10))
        )
        began = time.perf_counter()
        metrics = one_step.run_step(config, problems, work)
        seconds = time.perf_counter() - began
    assert metrics["rows"] == requests + 10
    return seconds


def openai(url: str, requests: int, in_flight: int) -> float:
    """Seconds of the openai client's asynchronous interface, without retries."""
    from openai import AsyncOpenAI

    async def work() -> float:
        client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

        async def ask(number: int) -> None:
            await client.chat.completions.create(
                model="instant",
                messages=[{"role": "user", "content": f"What is {number} + 1?"}],
                max_tokens=MAX_TOKENS,
            )

        await _all(ask, 10, in_flight)
        return await _all(ask, requests, in_flight)

    return asyncio.run(work())


def aiohttp(url: str, requests: int, in_flight: int) -> float:
    """Seconds of a bare loop that reads each body and nothing more."""
    from aiohttp import ClientSession, TCPConnector

    async def work() -> float:
        async with ClientSession(connector=TCPConnector(limit=in_flight)) as session:

            async def ask(number: int) -> None:
                body = {
                    "model": "instant",
                    "messages": [{"role": "user", "content": f"What is {number} + 1?"}],
                    "max_tokens": MAX_TOKENS,
                }
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    await response.read()

            await _all(ask, 10, in_flight)
            return await _all(ask, requests, in_flight)

    return asyncio.run(work())


async def _all(ask: Callable[[int], Awaitable[None]], requests: int, in_flight: int) -> float:
    numbers = iter(range(requests))

    async def worker(mine: Iterator[int]) -> None:
        for number in mine:
            await ask(number)

    began = time.perf_counter()
    await asyncio.gather(*(worker(numbers) for _ in range(in_flight)))
    return time.perf_counter() - began


def cell(client: str, in_flight: int, requests: int, latency: float = 0.0) -> float:
    """Seconds of one client in a process of its own."""
    command = [sys.executable, __file__, client, str(in_flight), str(requests), str(latency)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(output)["seconds"])


def main() -> None:
    client, in_flight, requests, latency = sys.argv[1:]
    cores = sorted(os.sched_getaffinity(0))
    with instant_server.running(float(latency), core=cores[-1]) as url:
        os.sched_setaffinity(0, {cores[0]})
        run = {"potstill": potstill, "openai": openai, "aiohttp": aiohttp}[client]
        seconds = run(url, int(requests), int(in_flight))
    print(json.dumps({"seconds": seconds, "requests_per_s": int(requests) / seconds}))


if __name__ == "__main__":
    main()
