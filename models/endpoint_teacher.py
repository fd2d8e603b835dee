"""A teacher behind HTTP: bounded concurrency and the only layer of retries there is.

A request is asked again after 408, 409, 429, 5xx, a lost connection, a timeout or an answer that
is none, with exponential backoff and full jitter; Retry-After pauses the whole pool, since the
limit is the account's and not the row's. What a refusal of the request itself says (400, 404,
422) is that request's failure. A refused key (401, 403) stops the run: no other request would
fare better.

Answers are not streamed: half a stream looks like a whole answer. The key is in the session's
headers and nowhere else: it is cut out of every text that comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from ..pipeline.errors import RequestError, StoppedOnPurpose
from .endpoint_answer import Retry, read_response
from .request import Completion, Failure, Request, Sampling
from .teacher import EndpointTeacher

if TYPE_CHECKING:
    import aiohttp

BACKOFF_START_S: Final = 0.5
BACKOFF_MOST_S: Final = 30.0
LONGEST_PAUSE_S: Final = 600.0
"""A server that asks for more than this is not waited for: the run stops and can go on later."""

MOST_BYTES: Final = 64 << 20
"""Of one response; 32k tokens are far below a megabyte."""

Outcome = Completion | Failure


@contextmanager
def open_endpoint(
    config: EndpointTeacher, sampling: Sampling, template_kwargs: Mapping[str, Any]
) -> Iterator[EndpointPool]:
    """A pool of connections to the server, closed with the block.

    Raises:
        RequestError: the key's environment variable is not set.
    """
    pool = EndpointPool(config, sampling, template_kwargs)
    try:
        yield pool
    finally:
        pool.close()


class EndpointPool:
    """Answers requests from a server; an event loop that runs only while it is asked."""

    def __init__(
        self, config: EndpointTeacher, sampling: Sampling, template_kwargs: Mapping[str, Any]
    ) -> None:
        self._config = config
        self._key = config.api_key()
        self._body = _common_body(config, sampling, template_kwargs)
        self._paused_until = 0.0
        self._loop = asyncio.new_event_loop()

    def sample(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """One outcome for each request, as they arrive."""
        done: asyncio.Queue[Outcome | BaseException | None] = asyncio.Queue()
        supervisor = self._loop.create_task(self._run(iter(requests), done))
        while (outcome := self._next(done)) is not None:
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
        self._loop.run_until_complete(supervisor)

    def _next(self, done: asyncio.Queue[Outcome | BaseException | None]) -> Any:
        """What has arrived already comes first: turning the loop costs more than an answer."""
        try:
            return done.get_nowait()
        except asyncio.QueueEmpty:
            return self._loop.run_until_complete(done.get())

    def close(self) -> None:
        """Abandon what is in flight and close the connections."""
        for task in (left := asyncio.all_tasks(self._loop)):
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.close()

    async def _run(
        self, requests: Iterator[Request], done: asyncio.Queue[Outcome | BaseException | None]
    ) -> None:
        """Some workers that share one iterator; None after the last outcome."""
        try:
            async with _session(self._config, self._key) as session, asyncio.TaskGroup() as group:
                for _ in range(self._config.concurrency):
                    group.create_task(self._work(session, requests, done))
        except BaseExceptionGroup as errors:
            done.put_nowait(errors.exceptions[0])
        done.put_nowait(None)

    async def _work(
        self,
        session: aiohttp.ClientSession,
        requests: Iterator[Request],
        done: asyncio.Queue[Outcome | BaseException | None],
    ) -> None:
        for request in requests:
            done.put_nowait(await self._answer(session, request))

    async def _answer(self, session: aiohttp.ClientSession, request: Request) -> Outcome:
        """Ask until there is an answer, a refusal, or no attempt left."""
        attempt = 1
        while True:
            await self._wait_for_pause()
            outcome = await self._ask(session, request)
            if not isinstance(outcome, Retry):
                return outcome
            if attempt == self._config.attempts:
                told = f"after {attempt} attempts: {outcome.detail}"
                return Failure(request.key, outcome.reason, told)
            await self._back_off(attempt, outcome)
            attempt += 1

    async def _back_off(self, attempt: int, retry: Retry) -> None:
        ceiling = min(BACKOFF_MOST_S, BACKOFF_START_S * 2 ** (attempt - 1))
        seconds = random.uniform(0, ceiling)
        if retry.after_s is not None:
            self._pause(retry.after_s)
        elif retry.reason == "rate_limited":
            self._pause(seconds)
        await asyncio.sleep(seconds)

    async def _ask(
        self, session: aiohttp.ClientSession, request: Request
    ) -> Completion | Failure | Retry:
        import aiohttp

        messages = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        body = self._body | {"messages": messages}
        if request.seed is not None:
            body["seed"] = request.seed
        try:
            async with session.post(self._config.url, json=body, allow_redirects=False) as response:
                content = await _read(response)
                wait = _retry_after(response.headers.get("Retry-After"))
                status = response.status
        except TimeoutError:
            return Retry("timeout", f"no whole answer in {self._config.timeout_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Retry("connection_failed", f"{type(error).__name__} at {self._config.url}")
        if content is None:
            return Retry("malformed_response", f"more than {MOST_BYTES} bytes")
        return self._judge(request, status, self._without_key(content), wait)

    def _judge(
        self, request: Request, status: int, body: bytes, wait: float | None
    ) -> Completion | Failure | Retry:
        outcome = read_response(request, status, body)
        if status in (401, 403):
            raise RequestError(
                f"{self._config.url} refused the key in {self._config.api_key_env or '(none)'} "
                f"({outcome.detail if isinstance(outcome, Failure) else status}). Set the variable "
                "named by teacher.api_key_env to a valid key; the same command goes on from here."
            )
        if isinstance(outcome, Retry) and wait is not None:
            return Retry(outcome.reason, outcome.detail, wait)
        return outcome

    def _pause(self, seconds: float) -> None:
        if seconds > LONGEST_PAUSE_S:
            raise StoppedOnPurpose(
                f"{self._config.url} asks to wait {seconds:.0f} s (Retry-After). All answers so "
                "far are kept; run the same command again after that time."
            )
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def _wait_for_pause(self) -> None:
        """Each waits a little longer than asked, so that not all come back in one instant."""
        while (left := self._paused_until - time.monotonic()) > 0:
            await asyncio.sleep(left + random.uniform(0, 0.1 * left))

    def _without_key(self, content: bytes) -> bytes:
        """Some servers repeat the key in an error message, which ends up in files."""
        if self._key is None:
            return content
        return content.replace(self._key.get_secret_value().encode(), b"***")


def _common_body(
    config: EndpointTeacher, sampling: Sampling, template_kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    body = sampling.identity() | {"model": config.model, "stream": False}
    body.pop("seed", None)  # each request has its own
    return body | ({"chat_template_kwargs": dict(template_kwargs)} if template_kwargs else {})


@contextlib.asynccontextmanager
async def _session(
    config: EndpointTeacher, key: SecretStr | None
) -> AsyncIterator[aiohttp.ClientSession]:
    import aiohttp

    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key is not None else {}
    async with aiohttp.ClientSession(
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=config.timeout_s),
        connector=aiohttp.TCPConnector(limit=config.concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield session


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body, or None where it is absurdly long."""
    parts, total = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        total += len(part)
        if total > MOST_BYTES:
            return None
    return b"".join(parts)


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return None
