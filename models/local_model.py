"""What the engines on this machine share: one render, one way to stop, one way to read tokens.

Prompts go to an engine as token ids, so that what is rendered is what is run, and completions
come back as token ids and are decoded here, so that both engines give the same text for the same
tokens: special tokens in it are kept (`<think>` may be one), and only the token that ended the
turn is taken off. What a stop text cut is the engine's to say: it saw the tokens arrive.

The samples of one problem come one after the other and share their messages, so the last prompt
is kept: rendering it costs as much as a dozen tokens of a tiny model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.sample import Message
from .chat import NotRenderable, RenderedPrompt, end_of_turn_id, load_tokenizer, render_prompt
from .request import Completion, Failure, Request
from .sampling import Sampling


@dataclass
class LocalModel:
    """A model folder's tokenizer and limits; no weights."""

    name: str
    tokenizer: Any
    context: int
    """Most tokens of prompt and completion together."""
    stop_ids: frozenset[int]
    """Tokens that end a turn, as the model's folder says."""
    template_kwargs: Mapping[str, Any]
    vocabulary: int | None = None
    """Number of token ids, as far as the model's config says it."""
    _checked: Sampling | None = field(default=None, init=False, repr=False)
    _last: tuple[tuple[Message, ...], RenderedPrompt | NotRenderable] | None = field(
        default=None, init=False, repr=False
    )

    def prompt(self, request: Request) -> RenderedPrompt | Failure:
        """The tokens to run, or why this request cannot be run.

        Raises:
            RequestError: its sampling suits no request of this model.
        """
        if request.sampling is not self._checked:
            refuse_unfit(request.sampling, self.name, self.vocabulary)
            self._checked = request.sampling
        rendered = self._render(request.messages)
        if isinstance(rendered, NotRenderable):
            return Failure(request.key, rendered.reason, str(rendered))
        if len(rendered.token_ids) >= self.context:
            return Failure(
                request.key,
                "prompt_too_long",
                f"{len(rendered.token_ids)} tokens leave no room for an answer in a context of "
                f"{self.context}",
            )
        return rendered

    def _render(self, messages: tuple[Message, ...]) -> RenderedPrompt | NotRenderable:
        if self._last is not None and self._last[0] == messages:
            return self._last[1]
        rendered: RenderedPrompt | NotRenderable
        try:
            rendered = render_prompt(self.tokenizer, messages, self.template_kwargs)
        except NotRenderable as error:
            rendered = error
        self._last = (messages, rendered)
        return rendered

    def stops(self, sampling: Sampling) -> frozenset[int]:
        """Tokens that end a completion drawn so: the model's own, unless they are ignored."""
        own = frozenset[int]() if sampling.ignore_eos else self.stop_ids
        return own.union(sampling.stop_token_ids or ())

    def completion(
        self,
        request: Request,
        prompt: RenderedPrompt,
        tokens: Sequence[int],
        numerics: str,
        cut: str | None = None,
    ) -> Completion:
        """What the generated tokens say; without an ending token a limit must have cut them.

        Args:
            cut: the text before a stop text, where the engine met one; None: it met none.
        """
        stopped = bool(tokens) and tokens[-1] in self.stops(request.sampling)
        text = self.decode(tokens[:-1] if stopped else tokens) if cut is None else cut
        return Completion(
            key=request.key,
            text=text,
            finish_reason="stop" if stopped or cut is not None else "length",
            prompt_tokens=len(prompt.token_ids),
            completion_tokens=len(tokens),
            model=self.name,
            numerics=numerics,
            prefill=prompt.prefill,
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return str(
            self.tokenizer.decode(
                tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )


def refuse_unfit(sampling: Sampling, name: str, vocabulary: int | None) -> None:
    """Refuse what would fail every request, in one way for all engines.

    Raises:
        RequestError: a token id that the model has not, or a word that has no token.
    """
    for word in sampling.bad_words or ():
        if not word.strip():
            raise RequestError(
                f"sampling.bad_words has {word!r}, but white space alone cannot be forbidden: "
                "engines strip it. Use logit_bias with the ids of its tokens."
            )
    for token in [*map(int, sampling.logit_bias or ()), *(sampling.stop_token_ids or ())]:
        if vocabulary is not None and token >= vocabulary:
            raise RequestError(
                f"sampling.logit_bias or stop_token_ids names the token {token}, but {name} has "
                f"the token ids 0 to {vocabulary - 1}."
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
    config = _read_json(folder / "config.json")
    own = config.get("max_position_embeddings")
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
    size = config.get("vocab_size")
    vocabulary = size if isinstance(size, int) else None
    stops = _stop_ids(folder, tokenizer)
    return LocalModel(folder.name, tokenizer, limit, stops, template_kwargs, vocabulary)


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
