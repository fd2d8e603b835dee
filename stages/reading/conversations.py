"""Prompts as datasets write them: a string, or a list of turns in one of two spellings.

`{role, content}` and ShareGPT's `{from, value}` are understood. A list that ends with an
assistant's turn is a prompt and its completion. What is more than text (tools, images) is refused
for the row rather than flattened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...pipeline.sample import Message
from .rows import BadRow

_ROLES = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "human": "user",
    "gpt": "assistant",
}


def read_prompt(value: Any) -> tuple[tuple[Message, ...], str | None]:
    """Messages up to the last assistant turn, and that turn if the value ends with one.

    Raises:
        BadRow: empty_prompt, unknown_role, more_than_text or wrong_type:prompt.
    """
    if isinstance(value, str):
        messages: tuple[Message, ...] = (Message("user", value),)
    elif isinstance(value, list):
        messages = tuple(_message(turn) for turn in value)
    else:
        raise BadRow("wrong_type:prompt")
    completion = None
    if messages and messages[-1].role == "assistant":
        *turns, last = messages
        messages, completion = tuple(turns), last.content
    if not any(turn.role == "user" and turn.content.strip() for turn in messages):
        raise BadRow("empty_prompt")
    return messages, completion


def read_completion(value: Any) -> str:
    """A completion given as a string, or as a list of one assistant turn.

    Raises:
        BadRow: wrong_type:completion.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) == 1:
        turn = _message(value[0])
        if turn.role == "assistant":
            return turn.content
    raise BadRow("wrong_type:completion")


def _message(turn: Any) -> Message:
    if not isinstance(turn, Mapping):
        raise BadRow("wrong_type:prompt")
    keys = {key for key, value in turn.items() if value is not None}
    for role_key, text_key in (("role", "content"), ("from", "value")):
        if {role_key, text_key} <= keys:
            if keys != {role_key, text_key}:
                raise BadRow("more_than_text")
            role, text = turn[role_key], turn[text_key]
            if not isinstance(text, str):
                raise BadRow("more_than_text")
            if not isinstance(role, str) or role not in _ROLES:
                raise BadRow("unknown_role")
            return Message(_ROLES[role], text)
    raise BadRow("wrong_type:prompt")
