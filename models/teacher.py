"""Who answers: a model on this machine, or servers that speak the OpenAI protocol.

What a teacher *is* (the content of a model folder; a served model's name and revision) is
identity; how it is reached (engine, addresses, names of keys' environment variables, limits,
prices) is not. So a moved server, a second one or another engine re-buys nothing. Opening one is
`opening.py`'s business.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    SecretStr,
    Tag,
    field_validator,
    model_validator,
)

from ..pipeline.errors import RequestError
from ..pipeline.references import Execution, Model, reference_kind
from ..pipeline.stage import Config, Context
from .request import TeacherIdentity

_SECRET: Final = re.compile(r"(sk|hf|gsk|xai|key)[-_][A-Za-z0-9_\-]{8,}|Bearer ", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")

Engine = Literal["vllm", "vllm-serve", "transformers"]
"""vllm: inside the step's process. vllm-serve: a server that the step starts and ends."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Price(Config):
    """US dollars for a million tokens."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for these tokens."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / 1e6


class LocalTeacher(Config):
    """A model folder (or a step that made one) and the engine that runs it here."""

    model: Model
    engine: Annotated[Engine, Execution()] = "vllm"
    context: Annotated[int, Field(ge=1)] | None = None
    """Tokens of prompt and completion together; None: what the model's config says."""
    engine_args: Annotated[dict[str, JsonValue], Execution()] = {}
    """Handed to vLLM as they are: tensor_parallel_size, gpu_memory_utilization, max_num_seqs …"""
    price: Annotated[Price | None, Execution()] = None

    def identity(self, context: Context) -> TeacherIdentity:
        """The content of the model, chat template included, wherever it lies."""
        digest = context.digest(self.model)
        part = {"digest": digest} | ({"context": self.context} if self.context else {})
        return TeacherIdentity(_short_name(self.model), digest[:16], part)


class Endpoint(Config):
    """One server: where it is, how its door opens and what it can bear. Nothing of it is identity.

    A base_url with a password, and a key in a recipe, are refused without being repeated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """Most requests in flight at this server; None: the step's `concurrency`."""
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    """Of prompts and completions, as far as the server tells them."""
    timeout_s: Positive = 600.0
    """Seconds from sending a request to the last byte of its answer."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal_key(cls, values: Any) -> Any:
        return refuse_literal_keys(values)

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise RequestError(
                "teacher.api_key_env must be the name of an environment variable "
                "(capital letters, digits and _), never a key"
            )
        return value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.username or parts.password or parts.query:
            raise RequestError(
                "teacher.base_url must hold no user, password or query; "
                "name the key's environment variable in api_key_env"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected http://host:port/v1 or https://host/v1")
        return value

    @property
    def root(self) -> str:
        """The address that paths are added to; /v1 is added to a bare host."""
        base = self.base_url.rstrip("/")
        return f"{base}{'' if urlsplit(base).path else '/v1'}"

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base_url).netloc

    def api_key(self) -> SecretStr | None:
        """The key from the environment.

        Raises:
            RequestError: the variable is not set.
        """
        if self.api_key_env is None:
            return None
        value = os.environ.get(self.api_key_env, "").strip()
        if not value:
            raise RequestError(
                f"the environment variable {self.api_key_env} (teacher.api_key_env) is not set. "
                f"Set it to the key of {self.name} and run again."
            )
        return SecretStr(value)


class EndpointTeacher(Config):
    """A served model, at one `base_url` or at several `endpoints` that serve the same.

    `revision` is the user's word for what is served under `model`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    engine: Annotated[Literal["openai"], Execution()] = "openai"
    model: str
    revision: str = ""
    prefills_think: bool | None = None
    """Whether the server's chat template begins the answer with <think>, which it then does not
    send. None: told by a closing tag without an opening one."""
    base_url: Annotated[str | None, Execution()] = None
    api_key_env: Annotated[str | None, Execution()] = None
    requests_per_minute: Annotated[Positive | None, Execution()] = None
    tokens_per_minute: Annotated[Positive | None, Execution()] = None
    timeout_s: Annotated[Positive | None, Execution()] = None
    endpoints: Annotated[tuple[Endpoint, ...], Execution()] = ()
    attempts: Annotated[int, Execution(), Field(ge=1)] = 12
    """How often one request is sent before it counts as failed."""
    price: Annotated[Price | None, Execution()] = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal_key(cls, values: Any) -> Any:
        return refuse_literal_keys(values)

    @field_validator("endpoints", mode="before")
    @classmethod
    def _addresses_suffice(cls, values: Any) -> Any:
        if not isinstance(values, (list, tuple)):
            return values
        return [{"base_url": each} if isinstance(each, str) else each for each in values]

    @model_validator(mode="after")
    def _has_one_form(self) -> EndpointTeacher:
        if (self.base_url is None) == (not self.endpoints):
            raise ValueError("expected either base_url or endpoints")
        if self.endpoints and (alone := self._limits()):
            raise ValueError(f"expected {next(iter(alone))} beside each base_url in endpoints")
        self.servers()  # a wrong address is told when the recipe is read
        return self

    def servers(self) -> tuple[Endpoint, ...]:
        """The endpoints, whichever form the recipe uses."""
        if self.base_url is None:
            return self.endpoints
        return (Endpoint(base_url=self.base_url, **self._limits()),)

    def _limits(self) -> dict[str, Any]:
        """What is said of a single endpoint beside its base_url."""
        names = ("api_key_env", "requests_per_minute", "tokens_per_minute", "timeout_s")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def identity(self, context: Context) -> TeacherIdentity:
        """Name and revision, never the address."""
        part = {"model": self.model, "revision": self.revision}
        return TeacherIdentity(self.model, self.revision, part)


def refuse_literal_keys(values: Any) -> Any:
    """Raises RequestError, not ValueError: pydantic's messages would repeat the value."""
    for name, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, str) and name != "base_url" and _SECRET.match(value):
            raise RequestError(
                f"teacher.{name} looks like a key itself. Keys never stand in a recipe: put "
                "it into an environment variable and write api_key_env: NAME_OF_THE_VARIABLE."
            )
    return values


def _kind(value: Any) -> str:
    """Which of the two a recipe means, so that errors name one kind's fields and not both."""
    if not isinstance(value, dict):
        return "endpoint" if isinstance(value, EndpointTeacher) else "local"
    told = value.get("engine") == "openai" or "base_url" in value or "endpoints" in value
    return "endpoint" if told else "local"


TeacherConfig = Annotated[
    Annotated[LocalTeacher, Tag("local")] | Annotated[EndpointTeacher, Tag("endpoint")],
    Discriminator(_kind),
]


def _short_name(reference: str) -> str:
    """A name for provenance without anything of this machine in it."""
    kind = reference_kind(reference)
    if kind == "path":
        return Path(reference).name
    return reference.removeprefix("hub:").partition("@")[0] if kind == "hub" else reference
