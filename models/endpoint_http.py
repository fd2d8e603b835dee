"""The wire to one server: a POST or a GET with a deadline, and no key in what comes back.

Answers are not streamed: half a stream looks like a whole answer. The deadline is for the whole
exchange, since a server that sends a byte now and then never trips one between bytes. The key is
in the session's headers and nowhere else; it is cut out of every body, because some servers repeat
it in an error message, which ends up in files. Exceptions are told by their class alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from ..pipeline.errors import RequestError
from .endpoint_answer import Retry
from .teacher import Endpoint

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES: Final = 64 << 20
"""Of one response; 32k tokens are far below a megabyte."""

CONNECT_S: Final = 30.0
_BUFFER: Final = 1 << 20
_OTHER_FILES: Final = 256
"""Open files of a process besides its connections."""


class Reply(NamedTuple):
    """A whole HTTP response."""

    status: int
    body: bytes
    after_s: float | None
    """Seconds of Retry-After."""


class Wire:
    """Connections to one server; `open` and `close` inside a running loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        key = endpoint.api_key()
        self._key = b"" if key is None else _sendable(key.get_secret_value(), endpoint)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make ready; connects to nothing yet."""
        import aiohttp
        import yarl

        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key.decode()}"
        self._chat = yarl.URL(f"{self.endpoint.root}/chat/completions")
        self._models = yarl.URL(f"{self.endpoint.root}/models")
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(self.endpoint.timeout_s, sock_connect=CONNECT_S),
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_BUFFER,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # transports finish closing in the loop's next turn

    async def post(self, body: bytes) -> Reply | Retry:
        """Send a request and read the whole answer."""
        import aiohttp

        assert self._session is not None
        try:
            async with self._session.post(self._chat, data=body, allow_redirects=False) as response:
                return await self._whole(response)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            return Retry("connection_failed", self._told(error))
        except TimeoutError:
            told = f"no whole answer in {self.endpoint.timeout_s:g} s from {self.endpoint.name}"
            return Retry("timeout", told, paid=True)
        except (aiohttp.ClientError, OSError) as error:  # broke off after the request was sent
            return Retry("connection_failed", self._told(error), paid=True)

    async def models(self, seconds: float) -> Reply | str:
        """The answer to GET /models, or in words why there is none."""
        import aiohttp

        assert self._session is not None
        try:
            async with self._session.get(
                self._models, allow_redirects=False, timeout=aiohttp.ClientTimeout(seconds)
            ) as response:
                reply = await self._whole(response)
        except TimeoutError:
            return f"no answer in {seconds:g} s"
        except (aiohttp.ClientError, OSError) as error:
            return self._told(error)
        return reply.detail if isinstance(reply, Retry) else reply

    async def _whole(self, response: aiohttp.ClientResponse) -> Reply | Retry:
        content = await _read(response)
        if content is None:
            return Retry("malformed_response", f"more than {MOST_BYTES} bytes", paid=True)
        body = content.replace(self._key, b"***") if self._key else content
        wait = None if response.status == 200 else retry_after(response.headers)
        return Reply(response.status, body, wait)

    def _told(self, error: Exception) -> str:
        return f"{type(error).__name__} at {self.endpoint.name}"


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body, or None where it is absurdly long."""
    length = response.content_length
    if length is not None and "Content-Encoding" not in response.headers:
        return await response.read() if length <= MOST_BYTES else None
    parts, total = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        total += len(part)
        if total > MOST_BYTES:
            return None
    return b"".join(parts)


def allow_connections(number: int) -> None:
    """Let this process open so many connections; the usual limit of 1,024 files is soon met.

    Raises:
        RequestError: the system's limit is below that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RequestError(
            f"{number:,} requests in flight need as many open connections, but this system allows "
            f"a process {hard:,} open files. Lower `concurrency`, or raise the limit (ulimit -Hn)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None if there is none."""
    with contextlib.suppress(KeyError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    value = headers.get("Retry-After")
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _sendable(key: str, endpoint: Endpoint) -> bytes:
    if not (key.isascii() and key.isprintable()):
        raise RequestError(
            f"the key in {endpoint.api_key_env} (teacher.api_key_env) has characters that no HTTP "
            "header can hold. Set the variable to the key alone, without quotes or line breaks."
        )
    return key.encode()
