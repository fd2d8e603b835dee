"""A sample without its texts: how long they are, a hash of the completion, and how it was made.

Parts are those that `select` measures: the prompt, the completion, its thought and its answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..models.thinking import split
from .why_steps import Step


@dataclass(frozen=True)
class Measured:
    """One sample without its texts."""

    id: str
    made_by: Step
    """The first step that holds it."""
    completed: bool
    text: str
    """A hash of the completion."""
    characters: Mapping[str, int]
    """By part: prompt, completion, thought, answer."""
    tokens: Mapping[str, int | None]
    """By part, as the teacher counted: prompt, completion."""
    generation: Mapping[str, Any] | None
    columns: Mapping[str, Any]
    """task, language, source, extra."""

    @property
    def content(self) -> tuple[str, Any, Any]:
        """What a new key does not change."""
        made = self.generation or {}
        return self.text, made.get("key"), made.get("index")


def measured(row: Mapping[str, Any], step: Step) -> Measured:
    """Measure a whole row that `step` holds."""
    completion, made = row["completion"], row["generation"]
    texts = parts_of(row)
    tokens = {part: made[f"{part}_tokens"] for part in ("prompt", "completion")} if made else {}
    return Measured(
        row["id"],
        step,
        completion is not None,
        hashlib.sha256((completion or "").encode("utf-8", "surrogatepass")).hexdigest(),
        {part: sum(map(len, said)) for part, said in texts.items()},
        tokens,
        made,
        {name: row[name] for name in ("task", "language", "source", "extra")},
    )


def parts_of(row: Mapping[str, Any]) -> dict[str, list[str]]:
    """The texts of a row by part: prompt, completion, thought and answer, as `select` measures them
    (white space around thought and answer is a template's business)."""
    texts = {"prompt": [turn["content"] for turn in row["prompt"]]}
    if (completion := row["completion"]) is not None:
        parts = split(completion)
        texts["completion"] = [completion]
        for name, span in (("thought", parts.thought), ("answer", parts.answer)):
            texts[name] = [completion[slice(*span)].strip()] if span else []
    return texts
