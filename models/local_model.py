"""What the engines on this machine share: one render, one way to stop, one way to read tokens.

Prompts go to an engine as token ids, so that what is rendered is what is run, and completions
come back as token ids and are decoded here, so that both engines give the same text for the same
tokens: special tokens in it are kept (`<think>` may be one), and only the token that ended the
turn is taken off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..pipeline.errors import RequestError
from .chat import NotRenderable, RenderedPrompt, end_of_turn_id, load_tokenizer, render_prompt
from .request import Completion, Failure, Request


@dataclass(frozen=True)
class LocalModel:
    """A model folder's tokenizer and limits; no weights."""

    name: str
    tokenizer: Any
    context: int
    """Most tokens of prompt and completion together."""
    stop_ids: frozenset[int]
    template_kwargs: Mapping[str, Any]

    def prompt(self, request: Request) -> RenderedPrompt | Failure:
        """The tokens to run, or why this request cannot be run."""
        try:
            rendered = render_prompt(self.tokenizer, request.messages, self.template_kwargs)
        except NotRenderable as error:
            return Failure(request.key, error.reason, str(error))
        if len(rendered.token_ids) >= self.context:
            return Failure(
                request.key,
                "prompt_too_long",
                f"{len(rendered.token_ids)} tokens leave no room for an answer in a context of "
                f"{self.context}",
            )
        return rendered

    def completion(
        self, request: Request, prompt: RenderedPrompt, tokens: Sequence[int], numerics: str
    ) -> Completion:
        """What the generated tokens say; without an ending token a limit must have cut them."""
        stopped = bool(tokens) and tokens[-1] in self.stop_ids
        body = tokens[:-1] if stopped else tokens
        text = self.tokenizer.decode(
            list(body), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Completion(
            key=request.key,
            text=text,
            finish_reason="stop" if stopped else "length",
            prompt_tokens=len(prompt.token_ids),
            completion_tokens=len(tokens),
            model=self.name,
            numerics=numerics,
            prefill=prompt.prefill,
        )


def open_local_model(
    folder: Path, context: int | None, template_kwargs: Mapping[str, Any]
) -> LocalModel:
    """Tokenizer and limits of a model folder.

    Args:
        context: the recipe's limit; None takes `max_position_embeddings` of config.json.

    Raises:
        RequestError: no model that can be asked lies here, or it is smaller than `context`.
    """
    tokenizer = load_tokenizer(folder)
    own = _read_json(folder / "config.json").get("max_position_embeddings")
    if context is not None and isinstance(own, int) and context > own:
        raise RequestError(
            f"context {context} is more than the {own} tokens that {folder.name} was made for "
            "(max_position_embeddings in its config.json). Choose at most that."
        )
    limit = context or own
    if not isinstance(limit, int):
        raise RequestError(
            f"{folder / 'config.json'} does not say how long the model's context is; "
            "set context (tokens of prompt and completion) beside model"
        )
    return LocalModel(folder.name, tokenizer, limit, _stop_ids(folder, tokenizer), template_kwargs)


def _stop_ids(folder: Path, tokenizer: Any) -> frozenset[int]:
    """What ends a turn, by the chat template, the tokenizer and generation_config.json."""
    configured = _read_json(folder / "generation_config.json").get("eos_token_id")
    listed = configured if isinstance(configured, list) else [configured]
    candidates = [*listed, tokenizer.eos_token_id, end_of_turn_id(tokenizer)]
    return frozenset(token for token in candidates if isinstance(token, int))


def _read_json(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RequestError(f"{file} is no JSON: {error}. Fetch the model again.") from error
    return value if isinstance(value, dict) else {}
