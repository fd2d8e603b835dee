"""What a policy wrote while it was trained, as the samples that filters judge.

trl gives prompts and completions as texts or as chat turns, and tokens beside them. Only the
tokens tell a finished completion from one that the token limit cut.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from ..pipeline.sample import Generation, Message

POLICY: Final = "policy"
"""`generation.teacher` of what a model in training wrote."""


def policy_generation(
    tokens: Sequence[int] | None,
    ends: Collection[int],
    *,
    index: int,
    key: str = "",
    prompt_tokens: int | None = None,
    prefilled: bool = False,
) -> Generation:
    """How a completion was made.

    Args:
        tokens: of the completion, the one that ended it included; None where only text is there.
        ends: ids of which one ends every finished completion; without any, none counts as cut.
        index: which completion of its problem it is.
        prefilled: the template began the answer with <think>.
    """
    cut = bool(ends) and tokens is not None and (not tokens or tokens[-1] not in ends)
    return Generation(
        teacher=POLICY,
        revision="",
        key=key,
        index=index,
        seed=None,
        finish_reason="length" if cut else "stop",
        prompt_tokens=prompt_tokens,
        completion_tokens=None if tokens is None else len(tokens),
        prefilled_think=prefilled,
    )


def turns_of(prompt: Any) -> tuple[Message, ...]:
    """The turns of a prompt of trl's: a text, or a list of chat turns."""
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    return tuple(Message(str(turn["role"]), str(turn["content"])) for turn in prompt)


def text_of(completion: Any) -> str:
    """A completion's text; a chat turn that came with its thought apart is put together again."""
    if isinstance(completion, str):
        return completion
    turn = completion[-1]
    content = str(turn.get("content") or "")
    thought = turn.get("reasoning_content")
    return content if thought is None else f"<think>\n{thought}\n</think>\n{content}"
