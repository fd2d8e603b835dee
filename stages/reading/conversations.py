"""Prompts as datasets write them: a string, or a list of turns in one of two spellings.

`{role, content}` and ShareGPT's `{from, value}` are understood. A list that ends with an
assistant's turn is a prompt and its completion; a thought that stands beside the content of that
turn (`reasoning_content`) goes before it, and those of earlier turns are dropped by every server,
so they are refused. A system prompt and earlier turns may stand in columns of their own. What is
more than text (tools, images) is refused for the row rather than flattened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from ...pipeline.sample import Message
from .rows import BadRow
from .thinking import FIELDS as THOUGHTS
from .thinking import NONE, SEPARATE, in_tags, joined

ROLES = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "human": "user",
    "gpt": "assistant",
}


def read_prompt(value: Any) -> tuple[tuple[Message, ...], str | None, str]:
    """Messages up to the last assistant turn, that turn if the value ends with one, and `SEPARATE`
    if its thought stood apart.

    Raises:
        BadRow: empty_prompt, unknown_role, more_than_text, two_thoughts or wrong_type:prompt.
    """
    value, thought = _without_last_thought(value)
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
    if completion is None:
        return messages, None, ""
    return messages, *_with_thought(completion, thought)


def with_system(messages: tuple[Message, ...], value: Any) -> tuple[Message, ...]:
    """The messages behind a system turn of this text, if there is one.

    Raises:
        BadRow: wrong_type:system, or two_systems where they begin with another system turn.
    """
    if value is None or value == "":
        return messages
    if not isinstance(value, str):
        raise BadRow("wrong_type:system")
    turn = Message("system", value)
    if messages[:1] == (turn,):
        return messages
    if any(message.role == "system" for message in messages):
        raise BadRow("two_systems")
    return (turn, *messages)


def with_history(messages: tuple[Message, ...], value: Any) -> tuple[Message, ...]:
    """The messages behind earlier turns: pairs of what was asked and what was answered.

    Raises:
        BadRow: wrong_type:history.
    """
    if value is None or value == []:
        return messages
    turns: list[Message] = []
    for pair in value if isinstance(value, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_text, pair)):
            raise BadRow("wrong_type:history")
        turns += [Message("user", pair[0]), Message("assistant", pair[1])]
    return (*turns, *messages)


def _without_last_thought(value: Any) -> tuple[Any, str | None]:
    """The turns with the thought of the last one, an assistant's, taken out, and that thought."""
    last = value[-1] if isinstance(value, list) and value else None
    if not is_answer(last):
        return value, None
    thoughts = {name: last[name] for name in THOUGHTS if isinstance(last.get(name), str)}
    if len(thoughts) != 1:
        return value, None
    rest = {name: part for name, part in last.items() if name not in thoughts}
    return [*value[:-1], rest], next(iter(thoughts.values())).strip()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_answer(turn: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a turn of the assistant, in either spelling."""
    said = (turn.get("role"), turn.get("from")) if isinstance(turn, Mapping) else ()
    return "assistant" in [ROLES.get(role) for role in said if isinstance(role, str)]


def read_completion(value: Any) -> tuple[str, str]:
    """A completion given as a string, or as a list of one assistant turn; and `SEPARATE` if its
    thought stood apart.

    Raises:
        BadRow: two_thoughts or wrong_type:completion.
    """
    if isinstance(value, str):
        return value, ""
    value, thought = _without_last_thought(value)
    if isinstance(value, list) and len(value) == 1:
        turn = _message(value[0])
        if turn.role == "assistant":
            return _with_thought(turn.content, thought)
    raise BadRow("wrong_type:completion")


def _with_thought(completion: str, thought: str | None) -> tuple[str, str]:
    if not thought:
        return completion, ""
    if in_tags(completion)[1] != NONE:
        raise BadRow("two_thoughts")
    return joined(thought, completion), SEPARATE


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
            if not isinstance(role, str) or role not in ROLES:
                raise BadRow("unknown_role")
            return Message(ROLES[role], text)
    raise BadRow("wrong_type:prompt")
