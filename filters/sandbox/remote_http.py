"""One POST to a judging server: bounded in time and size, retried where the server said "not now".

The deadline is for the whole exchange with all attempts, since a server that sends a byte now and
then never trips a timeout between bytes. Redirects are not followed and proxies of the environment
are not used: programs go to the address in the recipe or nowhere. The key is in one header; it is
cut out of everything that the server says, because some servers repeat it in an error message.
What an answer means is read in `remote.py`.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ...models.endpoint_http import retry_after
from ...pipeline.errors import RequestError
from .execution import SandboxFault

MOST_BYTES: Final = 16 << 20
"""Of an answer: SandboxFusion cuts each stream at 1 MiB, which JSON's escapes make up to six."""
ATTEMPTS: Final = 5
FIRST_WAIT_S: Final = 0.25
"""Doubled after each attempt: 0.25, 0.5, 1 and 2 seconds at most."""

_CONNECT_S: Final = 10.0
_NOT_NOW: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_DETAIL: Final = 200
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")


class _TryAgain(Exception):
    """Worth another attempt; says why, and how long the server asked to wait."""

    def __init__(self, told: str, wait_s: float | None = None) -> None:
        super().__init__(told)
        self.wait_s = wait_s


class JudgingServer:
    """The server at one address, for one thread.

    Raises:
        RequestError: the address or the name of the key's variable is of no use.
    """

    def __init__(self, url: str, key_env: str | None = None) -> None:
        self._address = _address(url)
        self._path = f"{self._address.path.rstrip('/')}/run_code"
        self._key = _key(key_env)
        self.name = self._address.netloc
        """Host and port, for messages."""

    def post(self, body: bytes, seconds: float) -> bytes:
        """The body of a 200 response.

        Args:
            seconds: for everything, from the first attempt to the last byte.

        Raises:
            SandboxFault: there was no such answer.
        """
        deadline = time.monotonic() + seconds
        for attempt in range(ATTEMPTS):
            try:
                return self._exchange(body, deadline)
            except _TryAgain as reason:
                most = FIRST_WAIT_S * 2**attempt
                wait = most * random.random() if reason.wait_s is None else reason.wait_s
                if attempt + 1 == ATTEMPTS or time.monotonic() + wait > deadline:
                    raise SandboxFault(f"{self.name}: {reason}, {attempt + 1} times") from None
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, body: bytes, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        connection = self._connection(max(0.01, min(left, _CONNECT_S)))
        try:
            connection.connect()
            with _ends_at(connection.sock, deadline):
                connection.request("POST", self._path, body, self._headers())
                content = self._whole(connection.getresponse())
            if time.monotonic() >= deadline:  # cut off: what came may look whole
                raise TimeoutError
            return content
        except ConnectionError as error:
            if time.monotonic() < deadline:
                raise _TryAgain(type(error).__name__) from None
            raise SandboxFault(f"{self.name}: no whole answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline
            told = "no whole answer in time" if late else type(error).__name__
            raise SandboxFault(f"{self.name}: {told}") from None
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._address.hostname or "", self._address.port, timeout=timeout)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def _whole(self, response: http.client.HTTPResponse) -> bytes:
        content = response.read(MOST_BYTES + 1)
        if response.status == 200:
            if len(content) > MOST_BYTES:
                raise SandboxFault(f"{self.name}: the answer has more than {MOST_BYTES} bytes")
            return content
        words = " ".join(content[: 4 * _DETAIL].decode("utf-8", "replace").split())
        told = self._clean(f"HTTP {response.status} {words}"[:_DETAIL])
        if response.status in _NOT_NOW:
            raise _TryAgain(told, retry_after(dict(response.headers)))
        raise SandboxFault(f"{self.name}: {told}")

    def _clean(self, told: str) -> str:
        return told.replace(self._key, "***") if self._key else told


@contextlib.contextmanager
def _ends_at(connected: socket.socket, deadline: float) -> Iterator[None]:
    """Cut the connection at the deadline, however slowly bytes still come.

    The plain socket's method is used: that of a TLS socket would drop its state under the reader.
    """
    left = max(0.01, deadline - time.monotonic())
    connected.settimeout(left)
    cutting = threading.Timer(left, _cut, [connected])
    cutting.daemon = True
    cutting.start()
    try:
        yield
    finally:
        cutting.cancel()
        cutting.join()


def _cut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        usable = False
    if not usable or parts.username or parts.password or parts.query or parts.fragment:
        raise RequestError(
            "code.remote_url is no address of a server; expected http://host:port or https://host, "
            "without user, password or query. A key goes into an environment variable that "
            "remote_key_env names"
        )
    return parts


def _key(key_env: str | None) -> str:
    if key_env is None:
        return ""
    if not _VARIABLE.fullmatch(key_env):
        raise RequestError(
            "code.remote_key_env must be the name of an environment variable, never a key"
        )
    key = os.environ.get(key_env, "").strip()
    if not key or not (key.isascii() and key.isprintable()):
        raise RequestError(
            f"the environment variable {key_env} (code.remote_key_env) is not set to a key that an "
            "HTTP header can hold. Set it to the key alone and run again."
        )
    return key
