"""What is asked of a model and what comes back; the words that teachers, journal and loop share.

A request is known by its key: a hash of everything that decides the answer (messages, teacher,
resolved sampling, template settings, sample index), and of nothing else. Where the model runs,
how many requests are in flight and which key opens its door are not part of it. So reordered or
added rows, a larger n and a moved server re-buy nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from pydantic import Field

from ..pipeline.fingerprint import digest_of
from ..pipeline.sample import Message
from ..pipeline.stage import Config
from .chat import END_THINK, THINK

CLIENT_SCHEMA: Final = 1
"""Raised when the same config would send something else; every completion is then bought anew."""

KEY_LENGTH: Final = 32
"""Hex digits of a request key: 128 bits, so no two paid requests are ever taken for one."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Sampling(Config):
    """How completions are drawn. The defaults are DeepSeek-R1's published protocol (README).

    `max_tokens` is a limit, not a wish: the model's own context ends a completion earlier.
    """

    temperature: Annotated[Finite, Field(ge=0, le=2)] = 0.6
    top_p: Annotated[Finite, Field(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Field(ge=1)] | None = None
    min_p: Annotated[Finite, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] = 32_768
    seed: int | None = 0
    """Each request gets a seed of its own made from this one; None sends none."""

    def identity(self) -> dict[str, Any]:
        """JSON values; options that are not set are left out, so a new one renames no old key."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, slots=True)
class TeacherIdentity:
    """Who answers: what a completion's provenance says, and what its key is made of."""

    name: str
    revision: str
    """Content digest of a local model; the revision that a recipe gives for an endpoint."""
    key_part: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One completion wanted."""

    key: str
    prompt_id: str
    index: int
    """Which of the n samples of its prompt this is, from 0."""
    messages: tuple[Message, ...]
    seed: int | None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer, as the journal keeps it."""

    key: str
    text: str
    finish_reason: str
    """`stop`, or `length` where a limit cut it."""
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str
    """The name that the answering side gave itself."""
    numerics: str
    """What computed it (engine, dtype, threads, attention) as canonical JSON; never identity."""
    reasoning: str | None = None
    """The thought, where a server sends it apart from the answer."""
    prefill: str = ""
    """What the chat template wrote of the answer, such as "<think>\\n"."""
    raw: str | None = None
    """The response body of an endpoint, so that a better parser need not pay again."""

    @property
    def whole_text(self) -> str:
        """The completion as a sample holds it: thinking included, template's part put back."""
        if self.reasoning is None:
            return self.prefill + self.text
        thought = f"{THINK}\n{self.reasoning.strip(chr(10))}"
        if not self.text and self.finish_reason == "length":
            return thought  # cut while thinking: a closing tag would be our invention
        answer = self.text.lstrip("\n")
        return f"{thought}\n{END_THINK}\n{answer}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that will not be answered, with a snake_case reason and words for a human."""

    key: str
    reason: str
    detail: str


class Teacher(Protocol):
    """Something that answers requests."""

    def sample(self, requests: Iterable[Request]) -> Iterator[Completion | Failure]:
        """One outcome for each request, in any order.

        Requests are taken lazily, as there is room. Closing the iterator abandons what is in
        flight.

        Raises:
            StepFailed: no request can be answered any more.
            RequestError: the user must change something first (a refused key).
        """
        ...


class Keys:
    """Makes the requests of one step; holds what is equal in all of them."""

    def __init__(
        self, teacher: TeacherIdentity, sampling: Sampling, template_kwargs: Mapping[str, Any]
    ) -> None:
        self._seed = sampling.seed
        self._common = digest_of(
            {
                "client": CLIENT_SCHEMA,
                "teacher": dict(teacher.key_part),
                "sampling": sampling.identity(),
                "template_kwargs": dict(template_kwargs),
            }
        )

    def requests(
        self, prompt_id: str, messages: tuple[Message, ...], samples: int
    ) -> Iterator[Request]:
        """The requests for samples 0 … n-1 of one prompt; a larger n only adds to them."""
        turns = [[message.role, message.content] for message in messages]
        asked = digest_of([self._common, turns])
        for index in range(samples):
            key = digest_of([asked, index])[:KEY_LENGTH]
            yield Request(key, prompt_id, index, messages, self._seed_of(key))

    def _seed_of(self, key: str) -> int | None:
        """31 bits of the key, which the step's seed is part of: every server takes such a seed."""
        return None if self._seed is None else int(key[:8], 16) >> 1
