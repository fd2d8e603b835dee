"""The fields that a source can fill, and where each is looked for if a recipe names no columns.

`system`, `history` and `thought` are no fields of a sample: the first turn of the prompt, turns
before the question, and what goes into the tags before the completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .thinking import FIELDS as THOUGHTS

WELL_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": (
        "prompt",
        "messages",
        "conversations",
        "question",
        "problem",
        "$instruction\n${input?}",
    ),
    "completion": ("completion", "response", "output"),
    "thought": THOUGHTS,
    "answer": ("answer",),
    "task": ("task",),
    "language": ("language",),
    "source": ("source",),
    "generation": ("generation",),
    "finish_reason": ("finish_reason",),
}
"""By field, what is looked for where a recipe names no columns; the first one present counts."""

FIELDS: Final = (
    "prompt",
    "completion",
    "answer",
    "task",
    "language",
    "source",
    "system",
    "history",
    "thought",
)
"""What `columns:` may set."""

LABELS: Final = ("task", "language", "source")
"""Fields that a recipe may also give as one value for all rows."""

DEFAULT_TASK: Final = "general"
