"""What is linted: a tokenizer with its template and what a server reads beside it, and one row.

The row is what `models/chat.py` renders for training. The checks look at its tokens and labels,
never at how they were made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...pipeline.errors import RequestError
from ...pipeline.sample import Message, Sample
from ..chat import (
    END_THINK,
    THINK,
    NotRenderable,
    RenderedExample,
    apply_template,
    encode,
    end_of_turn,
)
from ..control_tokens import control_tokens
from ..thinking import split
from .finding import Excerpt, excerpt


@dataclass(frozen=True)
class LintedModel:
    """A model as far as a row's tokens depend on it; no weights."""

    tokenizer: Any
    template_kwargs: Mapping[str, Any]
    stop_ids: frozenset[int]
    """Tokens at which a server stops, as the model's folder says."""

    @cached_property
    def ending(self) -> str:
        """The end of an assistant's turn as the template writes it."""
        return end_of_turn(self.tokenizer)

    @cached_property
    def ending_id(self) -> int:
        return encode(self.tokenizer, self.ending)[-1]

    @cached_property
    def markers(self) -> frozenset[str]:
        """What looks like a control token in the template's own words, tokens or not."""
        turns = [Message("user", "question")]
        try:
            text = apply_template(self.tokenizer, turns, self.template_kwargs, open_turn=True)
        except NotRenderable:
            return frozenset()  # the rows will say so
        return control_tokens(text + self.ending) - {THINK, END_THINK}

    def name(self, token: int) -> str:
        """A token as its vocabulary writes it."""
        return str(self.tokenizer.convert_ids_to_tokens(token))

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens with nothing skipped or cleaned."""
        return str(
            self.tokenizer.decode(
                token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def excerpt_of_text(self, of: str, text: str, at: int) -> Excerpt:
        """Tokens of a rendered text around its character `at`."""
        before = encode(self.tokenizer, text[:at])
        return excerpt(self.tokenizer, of, encode(self.tokenizer, text), len(before))


@dataclass(frozen=True)
class LintedRow:
    """One row as it is trained."""

    model: LintedModel
    sample: Sample
    example: RenderedExample
    labels: Sequence[int]

    @property
    def token_ids(self) -> list[int]:
        return self.example.token_ids

    @property
    def start(self) -> int:
        """Position of the first token of the completion."""
        return self.example.completion_start

    @cached_property
    def completion(self) -> str:
        """What the row wants to teach."""
        return self.sample.completion or ""

    @cached_property
    def written(self) -> str:
        """What the student has to write: completion without what the template prefills."""
        return self.example.text[len(self.example.prompt.text) :].removesuffix(self.model.ending)

    @cached_property
    def thought(self) -> str:
        """The thinking without its tags and outer white space; empty where there is none."""
        span = split(self.completion).thought
        return self.completion[slice(*span)].strip() if span else ""

    @cached_property
    def answer(self) -> str:
        """What follows the thinking, without outer white space."""
        span = split(self.completion).answer
        return self.completion[slice(*span)].strip() if span else ""

    def around(self, at: int) -> Excerpt:
        """The trained tokens around a position."""
        return excerpt(self.model.tokenizer, "trained", self.token_ids, at)


def server_stop_ids(folder: Path, tokenizer: Any) -> frozenset[int]:
    """Where vLLM stops: at the tokenizer's EOS and what generation_config.json lists.

    Without a generation_config.json the EOS of config.json counts (`try_get_generation_config` in
    vLLM 0.32).
    """
    return frozenset({tokenizer.eos_token_id} - {None}) | generation_stop_ids(folder)


def generation_stop_ids(folder: Path) -> frozenset[int]:
    """Where transformers' generate stops, as the folder's files say."""
    config = read_config(folder / "generation_config.json") or read_config(folder / "config.json")
    listed = config.get("eos_token_id")
    stops = listed if isinstance(listed, list) else [listed]
    return frozenset(token for token in stops if isinstance(token, int))


def longest_input(folder: Path) -> int | None:
    """Most tokens that the model's positions allow, as far as its config.json says it."""
    config = read_config(folder / "config.json")
    limit = config.get("max_position_embeddings")
    text = config.get("text_config")
    if limit is None and isinstance(text, dict):
        limit = text.get("max_position_embeddings")
    return limit if isinstance(limit, int) else None


def read_config(file: Path) -> dict[str, Any]:
    """A JSON file of a model's folder; empty where there is none.

    Raises:
        RequestError: it is no JSON object.
    """
    if not file.is_file():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RequestError(f"{file} is no JSON: {error}. Fetch the model again.") from error
    if not isinstance(value, dict):
        raise RequestError(f"{file} is no JSON object. Fetch the model again.")
    return value
