"""A server that answers chat completions at once, or after a fixed latency; as fast as Python goes.

It parses just enough of HTTP/1.1 to find where a request ends, so that what is measured against it
is the client. Started as a process of its own, pinned to a core; it prints its port and runs until
it is killed. Answers are the same for every request.

    python benchmarks/instant_server.py [--latency SECONDS] [--core N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

COMPLETION_TOKENS = 40


def _response() -> bytes:
    message = {"role": "assistant", "content": "<think>\n3 + 4 is 7.\n</think>\n\\boxed{7}"}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "instant",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": COMPLETION_TOKENS,
                "total_tokens": 20 + COMPLETION_TOKENS,
            },
        }
    ).encode()
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


RESPONSE = _response()
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests are answered in order."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            if not head.startswith(b"post"):
                self._answer(NOT_FOUND)
            elif self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._answer, RESPONSE)
            else:
                self._answer(RESPONSE)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)  # type: ignore[attr-defined]


async def serve(latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def running(latency: float = 0.0, core: int | None = None) -> Iterator[str]:
    """The server's base_url, in a process of its own."""
    command = [sys.executable, __file__, "--latency", str(latency)]
    command += [] if core is None else ["--core", str(core)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    asyncio.run(serve(options.latency))


if __name__ == "__main__":
    main()
