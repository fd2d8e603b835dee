"""Shapes that datasets come in, recognised by their columns.

A shape turns a row of its kind into rows with the well-known columns (`columns.py`): prompt or
messages, completion, answer, task. Most need no turning, since their columns are well known as
they are. The more specific shape stands first; a recipe may name one (`shape:`), and `columns:`
without a shape overrides them all. What a shape does not use stays in the row, and so in `extra`.
How each looks and where it comes from is in docs/loading.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from . import shaping
from .split_text import SplitText

Values: TypeAlias = Mapping[str, Any]
Turned: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Shape:
    """One kind of dataset."""

    name: str
    needs: frozenset[str]
    """Columns that it always has."""
    about: str
    turn: Callable[[Values], Turned] | None = None
    """A row of it as rows with well-known columns; None: its columns are well known."""
    task: str | None = None
    """What its rows are, where that is sure and no row says it."""
    looks: Callable[[Sequence[Values]], bool] | None = None
    """Whether rows that have the columns are of this kind; None: the columns suffice."""
    split: SplitText | None = None

    def fits(self, rows: Sequence[Values]) -> bool:
        """Whether the first rows of a source have this shape."""
        having = [row for row in rows if self.needs <= row.keys()]
        # Columns that half of the rows lack are not what the source is made of.
        if 2 * len(having) <= len(rows) or not having:
            return False
        return self.looks is None or self.looks(having)


def _shape(name: str, needs: str, about: str, **more: Any) -> Shape:
    return Shape(name, frozenset(needs.split()), about, **more)


_GSM8K: Final = SplitText(column="answer", at="####", into=("worked_solution", "answer"))

SHAPES: Final[tuple[Shape, ...]] = (
    _shape(
        "humaneval",
        "prompt test entry_point",
        "a function to be completed and the asserts of check(candidate)",
        turn=shaping.human_eval,
        task="code",
    ),
    _shape(
        "mbpp",
        "code test_list",
        "a programming task with a list of asserts",
        turn=shaping.mbpp,
        task="code",
    ),
    _shape(
        "openr1",
        "problem generations",
        "several generations of each problem",
        turn=shaping.generations,
        task="math",
    ),
    _shape(
        "openthoughts_metadata",
        "problem deepseek_reasoning deepseek_solution",
        "problem, reasoning and solution in columns",
        turn=shaping.deepseek_columns,
    ),
    _shape(
        "s1k",
        "question thinking_trajectories attempt",
        "a question with a list of thoughts and an attempt",
        turn=shaping.trajectories,
    ),
    _shape(
        "choices",
        "question choices answer",
        "a question with a list of options; the answer is an index, a letter or an option",
        turn=shaping.multiple_choice,
        task="choice",
    ),
    _shape(
        "gsm8k",
        "question answer",
        "a question; the answer is a worked solution with the key behind ####",
        split=_GSM8K,
        task="math",
        looks=shaping.ends_in_hashes,
    ),
    _shape("preference", "chosen rejected", "a better and a worse completion"),
    _shape("samples", "prompt_id prompt completion generation", "rows of potstill itself"),
    _shape("sharegpt", "conversations", "turns of {from, value}; a column system goes before them"),
    _shape("messages", "messages", "turns of {role, content}"),
    _shape("prompt_completion", "prompt completion", "a prompt and its completion"),
    _shape("prompt_response", "prompt response", "a prompt and its response"),
    _shape("alpaca", "instruction output", "an instruction, perhaps an input, and an output"),
    _shape("question_response", "question response", "a question and its response"),
    _shape(
        "problem_solution",
        "problem solution",
        "a problem and a worked solution; the key is its last box",
        turn=shaping.boxed_key,
        task="math",
        looks=shaping.has_no_answer,
    ),
    _shape(
        "math_problems",
        "problem answer",
        "problems whose keys are numbers",
        task="math",
        looks=shaping.keys_are_numbers,
    ),
    _shape(
        "math_questions",
        "question answer",
        "questions whose keys are numbers",
        task="math",
        looks=shaping.keys_are_numbers,
    ),
    _shape("problem_answer", "problem answer", "a problem and its key"),
    _shape("question_answer", "question answer", "a question and its key"),
    _shape("prompts", "prompt", "prompts alone"),
    _shape("questions", "question", "questions alone"),
    _shape("problems", "problem", "problems alone"),
)
"""The first that fits is taken."""

REFUSED: Final = {
    "preference": (
        "rows with chosen and rejected are preference pairs, which load does not read yet. Make "
        "pairs with select: {pairs: …}, or load one side: columns: {prompt: prompt, completion: "
        "chosen}"
    )
}
"""Shapes that are known and cannot be loaded, with what to do instead."""


def fitting(rows: Iterable[Values]) -> list[Shape]:
    """The shapes that the first rows of a source have, the most specific first."""
    seen = list(rows)
    return [shape for shape in SHAPES if shape.fits(seen)]
