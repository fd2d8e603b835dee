"""Whether servers are there and serve the model, asked before anything is spent.

GET /models is all that is asked. Many servers do not have it: whatever answers below 500, or takes
the connection and then says nothing of use, is there; only a list of other models is an error. A
server that is just starting is waited for a little; the run begins as soon as one answers, and
those that are away are asked again later by their breakers.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.suggest import suggest
from .endpoint_http import Reply, Wire

OPENING_S: Final = 10.0
"""How long servers may take to answer at all when a step begins."""

POLL_S: Final = 5.0
"""Deadline of one GET /models."""

_AGAIN_S: Final = 0.5
_AWAY: Final = ("ClientConnector", "HTTP 5")
"""How replies of servers begin that are not there: refused, or a gateway without a server."""
_SHOWN: Final = 20


async def first_look(wires: Sequence[Wire], model: str, note: Callable[[str], None]) -> list[bool]:
    """Which of the servers are there.

    Raises:
        RequestError: a key is refused, or a server lists other models only.
        StepFailed: none answers.
    """
    until = time.monotonic() + OPENING_S
    replies = await asyncio.gather(*(_patiently(wire, until) for wire in wires))
    for wire, reply in zip(wires, replies, strict=True):
        if isinstance(reply, Reply):
            _refuse_wrong(wire, reply, model)
    away = [
        f"{wire.endpoint.root} ({reply})"
        for wire, reply in zip(wires, replies, strict=True)
        if isinstance(reply, str)
    ]
    if len(away) == len(wires):
        raise StepFailed(
            f"no server answers: {'; '.join(away)}. Expected an OpenAI-compatible server there. "
            "Start it, or correct teacher.base_url, and run the same command again."
        )
    if away:
        note(f"{len(away)} of {len(wires)} servers are away and asked again: {'; '.join(away)}")
    return [isinstance(reply, Reply) for reply in replies]


async def is_alive(wire: Wire) -> bool:
    """Whether a server answers at all, as far as one question tells."""
    return isinstance(await _once(wire), Reply)


def refused_key(wire: Wire, told: str) -> RequestError:
    """What a 401 or 403 means to the user."""
    endpoint = wire.endpoint
    if endpoint.api_key_env is None:
        return RequestError(
            f"{endpoint.root} wants a key and none was sent ({told}). Put the key into an "
            "environment variable and name it in teacher.api_key_env; the same command goes on."
        )
    return RequestError(
        f"{endpoint.root} refused the key in {endpoint.api_key_env} ({told}). Set the variable "
        "named by teacher.api_key_env to a valid key; the same command goes on from here."
    )


async def _patiently(wire: Wire, until: float) -> Reply | str:
    while _is_away(reply := await _once(wire)) and time.monotonic() + _AGAIN_S < until:
        await asyncio.sleep(_AGAIN_S)
    if isinstance(reply, str) and not _is_away(reply):
        return Reply(0, b"", None)  # it takes connections: only this question has no answer
    return reply


def _is_away(reply: Reply | str) -> bool:
    return isinstance(reply, str) and reply.startswith(_AWAY)


async def _once(wire: Wire) -> Reply | str:
    """A reply of something that lives; 501 is how some say that they have no such list."""
    reply = await wire.models(POLL_S)
    if isinstance(reply, Reply) and reply.status >= 500 and reply.status != 501:
        return f"HTTP {reply.status}"
    return reply


def _refuse_wrong(wire: Wire, reply: Reply, model: str) -> None:
    if reply.status in (401, 403):
        raise refused_key(wire, f"HTTP {reply.status}")
    names = _names(reply)
    if not names or any(_is_meant(name, model) for name in names):
        return
    raise RequestError(
        f"{wire.endpoint.root} does not serve {model!r}; {suggest(model, names[:_SHOWN])}. "
        "Correct teacher.model, or serve it under that name (--served-model-name)."
    )


def _is_meant(served: str, model: str) -> bool:
    """Servers leave out prefixes and tags, and routers list patterns."""
    return served in (model, f"{model}:latest") or served.endswith(f"/{model}") or "*" in served


def _names(reply: Reply) -> list[str]:
    """The names in a list of models; none where it is no such list."""
    if reply.status != 200:
        return []
    try:
        data: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        return []
    rows = data.get("data") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return []
    ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
    return [each for each in ids if isinstance(each, str)]
