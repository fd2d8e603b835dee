"""What a teacher would be sent, exactly, before anything is sent.

For a model in a folder that is the text with its chat template, special tokens and all. A server
renders for itself, so of an endpoint only the messages are known. A template that drops the
thinking of worked examples is told here: it is what makes few-shot with long thoughts fail without
a word. Nothing is generated and no engine is loaded; only the tokenizer is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.sample import Message
from .chat import NotRenderable, load_tokenizer, render_prompt
from .request import Request, TeacherIdentity
from .templates import thinking_of


@dataclass(frozen=True, slots=True)
class Preview:
    """One request as the teacher would see it."""

    step: str
    subject: str
    """Id of the problem, or of the sample that is rewritten."""
    teacher: str
    messages: tuple[Message, ...]
    sampling: Mapping[str, Any]
    """The sampling's identity: what is set for this request."""
    seed: int | None
    rendered: str | None
    """The exact text that the model reads; None: see `why_not`."""
    why_not: str | None = None
    control: tuple[str, ...] = ()
    """Control tokens that stand in `rendered`."""
    warnings: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "step": self.step,
            "subject": self.subject,
            "teacher": self.teacher,
            "messages": [{"role": turn.role, "content": turn.content} for turn in self.messages],
            "rendered": self.rendered,
            "not_rendered": self.why_not,
            "sampling": dict(self.sampling),
            "seed": self.seed,
            "warnings": list(self.warnings),
        }


def preview_of(
    step: str,
    request: Request,
    teacher: TeacherIdentity,
    folder: Path | None,
    template_kwargs: Mapping[str, Any],
) -> Preview:
    """A preview of one request.

    Args:
        folder: of the local model; None for a teacher that a server runs.
    """
    rendered: str | None = None
    control: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tokenizer, why_not = _tokenizer(folder)
    if tokenizer is not None:
        try:
            rendered = render_prompt(tokenizer, request.messages, template_kwargs).text
        except NotRenderable as error:
            why_not = f"this row cannot be asked: {error}"
        else:
            control = _control_in(tokenizer, rendered)
            warnings = _warnings(request.messages, rendered)
    return Preview(
        step=step,
        subject=request.subject,
        teacher=teacher.name,
        messages=request.messages,
        sampling=request.sampling.identity(),
        seed=request.seed,
        rendered=rendered,
        why_not=why_not,
        control=control,
        warnings=warnings,
    )


def _tokenizer(folder: Path | None) -> tuple[Any | None, str | None]:
    """The tokenizer, or why there is none."""
    if folder is None:
        return None, "the server applies its own chat template"
    if importlib.util.find_spec("transformers") is None:
        return None, "transformers is not installed; pip install 'potstill[train]'"
    if not folder.is_dir():
        return None, "the model is not on this machine yet"
    try:
        return load_tokenizer(folder), None
    except RequestError as error:
        return None, str(error)


def _control_in(tokenizer: Any, text: str) -> tuple[str, ...]:
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    return tuple(sorted(token for token in added if token in text))


def _warnings(messages: Iterable[Message], rendered: str) -> tuple[str, ...]:
    for message in messages:
        thought = thinking_of(message.content) if message.role == "assistant" else None
        if thought and thought not in rendered:
            return (
                "the chat template drops the thinking of the assistant's turns, so the worked "
                "examples are shown without it. Put them into the template's text instead, or "
                "look for a setting of the model in chat_template_kwargs.",
            )
    return ()
