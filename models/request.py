"""What is asked of a model and what comes back; the words that teachers, journal and loop share.

A request is known by its key: a hash of everything that decides the answer (messages, teacher,
resolved sampling, template settings, sample index), and of nothing else. Where the model runs,
how many requests are in flight and which key opens its door are not part of it. So reordered or
added rows, a larger n and a moved server re-buy nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from ..pipeline.fingerprint import digest_of
from ..pipeline.sample import Message
from .chat import END_THINK, THINK
from .sampling import Sampling

CLIENT_SCHEMA: Final = 1
"""Raised when the same config would send something else; every completion is then bought anew."""

KEY_LENGTH: Final = 32
"""Hex digits of a request key: 128 bits, so no two paid requests are ever taken for one."""


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
    subject: str
    """What it is about: the problem's prompt id, or the id of the sample that is rewritten."""
    index: int
    """Which of the samples of its subject this is, from 0."""
    messages: tuple[Message, ...]
    sampling: Sampling
    """Resolved for this request; `seed` below is its own."""
    seed: int | None
    tier: int = 0
    """Which attempt at escalation it belongs to; `index` counts within it."""


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


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A request that was given back unanswered while stopping; the next run asks it again."""

    key: str


Outcome: TypeAlias = Completion | Failure | Abandoned


class Teacher(Protocol):
    """Something that answers requests. One thread uses it; only `wake` is for others.

    `submit` as long as there is `room`, `poll` for what has finished. Every submitted request has
    exactly one outcome, in any order. Retries are the teacher's own business.
    """

    discarded: int
    """Answers that may have been paid for and were of no use: cut, malformed, too late."""
    withheld: int
    """Places of answers that are not written yet; told before each `poll`, which may ask again."""

    @property
    def room(self) -> int:
        """How many more requests it would take now; shrinks and grows with a server's limits."""
        ...

    def submit(self, request: Request) -> None:
        """Begin a request; call only while there is room."""
        ...

    def poll(self, seconds: float) -> list[Outcome]:
        """What has finished since the last call, perhaps nothing.

        Waits until something finishes, `wake` is called or about `seconds` have passed; an engine
        in this process computes meanwhile.

        Raises:
            StepFailed: no request can be answered any more.
            RequestError: the user must change something first (a refused key).
            StoppedOnPurpose: the server is away for long; the same command goes on later.
        """
        ...

    def wake(self) -> None:
        """Make a waiting `poll` return soon; safe to call from any thread."""
        ...

    def drain(self) -> None:
        """Stop retrying: what waits for another attempt is given back as `Abandoned`."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What is worth showing beside the progress: retries, limits, pauses."""
        ...


class Keys:
    """Makes the requests of one step and tier; holds what is equal in all of them."""

    def __init__(
        self,
        teacher: TeacherIdentity,
        sampling: Sampling,
        by_task: Mapping[str, Mapping[str, Any]],
        template_kwargs: Mapping[str, Any],
        tier: int = 0,
    ) -> None:
        self._tier = tier
        self._default = _Common(teacher, sampling, template_kwargs)
        self._by_task = {
            task: _Common(teacher, sampling.with_changes(changes), template_kwargs)
            for task, changes in by_task.items()
        }

    @property
    def digest(self) -> str:
        """Of all that is equal in every request of a task without changes of its own."""
        return self._default.digest

    @property
    def samplings(self) -> tuple[Sampling, ...]:
        """Every sampling that a request may come with."""
        return (self._default.sampling, *(each.sampling for each in self._by_task.values()))

    def requests(
        self, subject: str, task: str, messages: tuple[Message, ...], samples: int
    ) -> Iterator[Request]:
        """The requests for samples 0 … n-1 of one prompt; a larger n only adds to them."""
        common = self._by_task.get(task, self._default)
        turns = [[message.role, message.content] for message in messages]
        # Texts only, so the checks of `digest_of` would find nothing; a million calls are usual.
        text = json.dumps([common.digest, turns], ensure_ascii=False, separators=(",", ":"))
        asked = hashlib.sha256(text.encode()).hexdigest()
        for index in range(samples):
            key = hashlib.sha256(f"{asked}:{index}".encode()).hexdigest()[:KEY_LENGTH]
            seed = common.seed_of(key)
            yield Request(key, subject, index, messages, common.sampling, seed, self._tier)


class _Common:
    """What all requests of one teacher and sampling share."""

    def __init__(
        self, teacher: TeacherIdentity, sampling: Sampling, template_kwargs: Mapping[str, Any]
    ) -> None:
        self.sampling = sampling
        self.digest = digest_of(
            {
                "client": CLIENT_SCHEMA,
                "teacher": dict(teacher.key_part),
                "sampling": sampling.identity(),
                "template_kwargs": dict(template_kwargs),
            }
        )

    def seed_of(self, key: str) -> int | None:
        """31 bits of the key, which the step's seed is part of: every server takes such a seed."""
        return None if self.sampling.seed is None else int(key[:8], 16) >> 1
