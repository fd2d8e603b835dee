"""How completions are drawn: every sampling field of vLLM and of the OpenAI protocol.

A field that is not set is not sent and not part of a request's key, so a new field here renames
no old key. `by_task` overrides fields for samples of one task, and only what is resolved for a
request decides its key. Which fields an engine can honour is that engine's to say
(`refuse_unsupported`): a field that would be ignored is an error before anything is spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, JsonValue, field_validator, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.stage import Config

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[int, Field(ge=1)]
Penalty = Annotated[Finite, Field(ge=-2, le=2)]
Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
TokenIds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
TokenId = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)$")]

COLDEST: Final = 0.01
"""vLLM silently raises a temperature between 0 and this one to it."""

_OURS: Final = frozenset({"model", "messages", "n", "stream", "chat_template_kwargs"})
"""Fields of a request's body that have another place, or none, in a recipe."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Sampling(Config):
    """One way to draw. The defaults are DeepSeek-R1's published protocol (README).

    `max_tokens` is a limit, not a wish: the model's own context ends a completion earlier.
    """

    temperature: Annotated[Finite, Field(ge=0, le=2)] = 0.6
    top_p: Annotated[Finite, Field(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Field(ge=-1)] | None = None
    """-1 considers all tokens, as leaving it out does where a server has no default of its own; 0
    means the same and becomes -1, which every server takes."""
    min_p: Annotated[Finite, Field(ge=0, le=1)] | None = None
    max_tokens: Positive = 32_768
    min_tokens: Positive | None = None
    seed: int | None = 0
    """Each request gets a seed of its own made from this one; None sends none."""
    stop: Annotated[Texts, BeforeValidator(_several, json_schema_input_type=Texts | str)] | None = (
        None
    )
    """Texts that end a completion; they are not part of it."""
    stop_token_ids: TokenIds | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repetition_penalty: Annotated[Finite, Field(gt=0)] | None = None
    logit_bias: dict[TokenId, Annotated[Finite, Field(ge=-100, le=100)]] | None = None
    """Added to logits, by token id."""
    bad_words: Texts | None = None
    ignore_eos: bool | None = None
    reasoning_effort: Annotated[str, Field(min_length=1)] | None = None
    """How long a served model thinks, where its server knows the field."""
    extra: dict[str, JsonValue] | None = None
    """Further fields of a server's request body, sent as they are."""

    @field_validator("temperature")
    @classmethod
    def _is_not_between(cls, value: float) -> float:
        if 0 < value < COLDEST:
            raise ValueError(f"engines take no temperature between 0 and {COLDEST}; use 0")
        return value

    @field_validator("top_k")
    @classmethod
    def _has_one_word_for_all(cls, value: int | None) -> int | None:
        return -1 if value == 0 else value

    @field_validator("extra")
    @classmethod
    def _is_further(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in sorted(value or ()):
            if name in _OURS:
                raise ValueError(
                    f"{name!r} is set for each request and not by the recipe's sampling"
                )
            if name in cls.model_fields:
                raise ValueError(f"{name!r} has a field of its own: write sampling.{name}")
        return value

    @model_validator(mode="after")
    def _limits_agree(self) -> Sampling:
        if self.min_tokens is not None and self.min_tokens > self.max_tokens:
            raise ValueError(f"min_tokens {self.min_tokens} is above max_tokens {self.max_tokens}")
        return self

    def identity(self) -> dict[str, Any]:
        """JSON values; options that are not set are left out, so a new one renames no old key."""
        return self.model_dump(mode="json", exclude_none=True)

    def with_changes(self, changes: Mapping[str, Any]) -> Sampling:
        """This sampling with some fields replaced, checked anew."""
        return Sampling.model_validate({**self.model_dump(), **changes})

    def refuse_unsupported(self, engine: str, supported: frozenset[str]) -> None:
        """Refuse fields that an engine would ignore.

        Raises:
            RequestError: a field is set that is not in `supported`.
        """
        unknown = sorted(self.identity().keys() - supported)
        if unknown:
            raise RequestError(
                f"sampling.{unknown[0]} is set, but the engine {engine} cannot honour it; it takes "
                f"{', '.join(sorted(supported))}. Leave it out, or choose another engine."
            )
