"""The one row type: every dataset between two steps is a table of `Sample`s with this schema.

A sample is a prompt, perhaps a completion, perhaps a key to check it against, and where it came
from. Ids are hashes of content, never positions, so reordering or adding rows renames nothing.
Judgements are not here: they are verdicts beside the rows (`verdict.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa

from .pickling import ByArguments

ID_LENGTH = 16
"""Hex digits of an id: 64 bits, so a million rows collide with a chance of 3e-8."""


@dataclass(frozen=True, slots=True)
class Message(ByArguments):
    """One turn of a conversation; role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Generation(ByArguments):
    """How a completion was made. No times, hosts or request ids: they would break byte identity."""

    teacher: str
    revision: str
    key: str
    """Content key of the paid request in the journal."""
    index: int
    """Which of the n samples of its prompt this is, from 0."""
    seed: int | None
    finish_reason: str
    """`stop`, or `length` where the token limit cut it."""
    prompt_tokens: int | None
    completion_tokens: int | None
    prefilled_think: bool = False
    """The template began the answer with <think>; it was put back in front of the completion."""


_GENERATION_FIELDS = tuple(field.name for field in fields(Generation))


@dataclass(frozen=True, slots=True)
class Sample(ByArguments):
    """One row. `completion` is "<think>…</think>answer"; `answer` is the key, None if unknown."""

    id: str
    prompt_id: str
    prompt: tuple[Message, ...]
    completion: str | None = None
    answer: str | None = None
    task: str = "general"
    language: str | None = None
    source: str = ""
    generation: Generation | None = None
    extra: str = "{}"

    @property
    def question(self) -> str:
        """The last user turn, for views and filters that look at the problem text."""
        return next((m.content for m in reversed(self.prompt) if m.role == "user"), "")

    def to_row(self) -> dict[str, Any]:
        """Plain values that fit `SAMPLE_SCHEMA`."""
        # dataclasses.asdict copies deeply: a third of the time of loading a file.
        row = {name: getattr(self, name) for name in SAMPLE_SCHEMA.names}
        row["prompt"] = [{"role": turn.role, "content": turn.content} for turn in self.prompt]
        made = self.generation
        row["generation"] = made and {name: getattr(made, name) for name in _GENERATION_FIELDS}
        return row

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Sample:
        """The inverse of `to_row`; columns that a step added beside the schema are ignored."""
        values = {name: row[name] for name in SAMPLE_SCHEMA.names}
        values["prompt"] = tuple(Message(**message) for message in row["prompt"])
        values["generation"] = Generation(**row["generation"]) if row["generation"] else None
        return Sample(**values)


SAMPLE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("prompt_id", pa.string()),
        ("prompt", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("completion", pa.string()),
        ("answer", pa.string()),
        ("task", pa.string()),
        ("language", pa.string()),
        ("source", pa.string()),
        (
            "generation",
            pa.struct(
                [
                    ("teacher", pa.string()),
                    ("revision", pa.string()),
                    ("key", pa.string()),
                    ("index", pa.int64()),
                    ("seed", pa.int64()),
                    ("finish_reason", pa.string()),
                    ("prompt_tokens", pa.int64()),
                    ("completion_tokens", pa.int64()),
                    ("prefilled_think", pa.bool_()),
                ]
            ),
        ),
        ("extra", pa.string()),
    ]
)


def content_id(*parts: object) -> str:
    """Hash of JSON-encodable parts, `ID_LENGTH` hex digits."""
    data = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(data.encode("utf-8")).hexdigest()[:ID_LENGTH]


def prompt_id_of(prompt: Iterable[Message]) -> str:
    """Id shared by all samples of one problem: a hash of its messages alone."""
    return content_id([[message.role, message.content] for message in prompt])


def new_sample(prompt: tuple[Message, ...], **fields: Any) -> Sample:
    """A sample with its ids not yet counted for equal rows (see `with_ids`)."""
    return Sample(id="", prompt_id=prompt_id_of(prompt), prompt=prompt, **fields)


def with_ids(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Give every sample its id; equal rows are told apart by an occurrence number, not dropped.

    One call must see the whole dataset, since the occurrence number counts equal rows before.
    """
    seen: set[int] = set()  # numbers take a third of the memory of texts: a million rows are usual
    again: Counter[str] = Counter()
    for sample in samples:
        made = sample.generation
        # Rows of others' datasets tell how they ended, but were not bought here: they have no key.
        body = [made.key, made.index] if made and made.key else sample.completion
        base = content_id(sample.prompt_id, sample.answer, body)
        number = int(base, 16)
        if number in seen:
            again[base] += 1
            yield replace(sample, id=content_id(base, again[base]))
        else:
            seen.add(number)
            yield replace(sample, id=base)
