"""Opening a served teacher against tests' own servers, with waits short enough for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import asking
import pytest
from faulty_server import FaultyServer

from potstill.models import endpoint_health, endpoint_server, endpoint_teacher
from potstill.models.endpoint_teacher import EndpointPool, open_endpoints
from potstill.models.request import Outcome, Request
from potstill.models.sampling import Sampling
from potstill.models.teacher import EndpointTeacher

SAMPLING = Sampling(temperature=0.8, max_tokens=99)
CANARY = "sk-canary0123456789abcdef"


def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_teacher, "BACKOFF_START_S", 0.002)
    monkeypatch.setattr(endpoint_server, "POLL_START_S", 0.02)
    monkeypatch.setattr(endpoint_server, "POLL_MOST_S", 0.05)
    monkeypatch.setattr(endpoint_health, "OPENING_S", 0.0)


def config(*servers: FaultyServer, **more: Any) -> EndpointTeacher:
    """A teacher of the servers; fields of an endpoint apply to each of them."""
    of_server = ("api_key_env", "concurrency", "requests_per_minute", "tokens_per_minute")
    each = {"timeout_s": more.pop("timeout_s", 5.0)}
    each |= {name: more.pop(name) for name in of_server if name in more}
    endpoints = [{"base_url": server.url, **each} for server in servers]
    return EndpointTeacher(**{"endpoints": endpoints, "model": "r1", **more})


def pool(
    *servers: FaultyServer,
    at_once: int | None = 16,
    note: Callable[[str], None] = lambda text: None,
    template_kwargs: dict[str, Any] | None = None,
    **more: Any,
) -> AbstractContextManager[EndpointPool]:
    return open_endpoints(config(*servers, **more), template_kwargs or {}, at_once, note)


def questions(number: int, first: int = 0) -> list[Request]:
    return asking.requests(number, SAMPLING, text="{} + 1?", first=first)


def ask(
    server: FaultyServer, asked: Iterable[Request], polls: int = 5000, **more: Any
) -> dict[str, Outcome]:
    """All outcomes by key."""
    with pool(server, **more) as teacher:
        return {each.key: each for each in asking.ask(teacher, asked, polls)}


def run_until(
    teacher: EndpointPool,
    asked: list[Request],
    done: Callable[[list[Outcome]], bool] = lambda outcomes: False,
    outcomes: list[Outcome] | None = None,
) -> list[Outcome]:
    """Fill and poll until `done` says so of the outcomes, or forever: until something is raised.

    `outcomes` is added to, so that it can be looked at after an exception.
    """
    outcomes = [] if outcomes is None else outcomes
    while not done(outcomes):
        while asked and teacher.room > 0:
            teacher.submit(asked.pop())
        outcomes += teacher.poll(0.1)
    return outcomes
