"""The bytes of a request, made with little work: what is equal in many is encoded once.

A step has a handful of samplings and asks each question several times in a row, so the constant
part is kept for each sampling and the messages for the last question. Bytes are sent, never
objects: the client library would encode them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..pipeline.sample import Message
from .request import Request
from .sampling import Sampling

_KEPT: Final = 64
"""Samplings; more than a step ever has, so that nothing grows without bound."""


class Bodies:
    """Encodes the requests of one teacher."""

    def __init__(self, model: str, template_kwargs: Mapping[str, Any]) -> None:
        self._fixed: dict[str, Any] = {"model": model, "stream": False}
        if template_kwargs:
            self._fixed["chat_template_kwargs"] = dict(template_kwargs)
        self._heads: dict[int, tuple[Sampling, str]] = {}
        self._asked: tuple[Message, ...] = ()
        self._turns = "[]"

    def of(self, request: Request) -> bytes:
        """The body of one request, as JSON."""
        kept = self._heads.get(id(request.sampling))
        head = kept[1] if kept else self._head(request.sampling)
        if request.messages is not self._asked:
            turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
            self._asked, self._turns = request.messages, json.dumps(turns)
        seed = "" if request.seed is None else f',"seed":{request.seed}'
        return f'{head},"messages":{self._turns}{seed}}}'.encode()

    def _head(self, sampling: Sampling) -> str:
        fields = sampling.identity()
        fields.pop("seed", None)  # each request has its own
        extra = fields.pop("extra", {})
        head = json.dumps(fields | extra | self._fixed)[:-1]
        if len(self._heads) >= _KEPT:
            self._heads.clear()
        self._heads[id(sampling)] = (sampling, head)  # the object is kept: its id stays its own
        return head
