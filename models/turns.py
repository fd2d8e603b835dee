"""Loss on the earlier turns of an assistant, where the served conversation really shows them.

A turn is found without generation markers in the template: rendered as a training example of its
own (the prompt up to it, its text, its end of turn), its tokens must be exactly the ones that the
whole conversation begins with. A template that drops the thinking of earlier turns shows another
text than the one that was said, and such a conversation is refused: it would teach one thing and
serve another. Nothing is searched for in the text, and no token of a user is ever labelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..pipeline.sample import Message
from .chat import NotRenderable, RenderedExample, render_example

NOT_SERVED: Final = "turn_not_as_served"
"""Reason of a conversation whose template does not show an earlier turn as it was said."""


def assistant_labels(
    tokenizer: Any,
    messages: Sequence[Message],
    example: RenderedExample,
    template_kwargs: Mapping[str, Any] | None = None,
) -> list[int]:
    """Labels of an example with loss on every turn of the assistant, each with its end of turn.

    Args:
        messages: the conversation that `example` was rendered from, without its completion.

    Raises:
        NotRenderable: an earlier turn is not in the render as it was said.
    """
    labels = example.labels
    for start, end in _earlier_turns(tokenizer, messages, example, template_kwargs):
        labels[start:end] = example.token_ids[start:end]
    return labels


def _earlier_turns(
    tokenizer: Any,
    messages: Sequence[Message],
    example: RenderedExample,
    template_kwargs: Mapping[str, Any] | None,
) -> Iterator[tuple[int, int]]:
    """Where each earlier turn and its end of turn stand in the example's tokens."""
    for index, message in enumerate(messages):
        if message.role != "assistant":
            continue
        try:
            turn = render_example(tokenizer, messages[:index], message.content, template_kwargs)
        except NotRenderable as refusal:
            raise NotRenderable(NOT_SERVED, f"message {index}: {refusal}") from refusal
        end = len(turn.token_ids)
        if example.token_ids[:end] != turn.token_ids or end > len(example.prompt.token_ids):
            raise NotRenderable(
                NOT_SERVED,
                f"message {index}: the chat template writes it in another way once the "
                "conversation goes on (many drop the thinking of earlier turns)",
            )
        yield turn.completion_start, end
