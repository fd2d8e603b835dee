"""Shapes that datasets come in, recognised by their columns.

A shape says which column is which field; some turn a row first into rows that have such columns
(`shaping.py`). The more specific shape stands first; a recipe may name one (`shape:`), and
`columns:` without a shape overrides them all. What a shape does not use stays in the row, and so
in `extra`. How each looks and where it comes from is in docs/loading.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import polars as pl

from . import shaping
from .preference import preference
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
    columns: Mapping[str, str]
    """By field, the column or text that is taken first; then the well-known ones."""
    turn: Callable[[Values], Turned] | None = None
    """A row of it as rows that have these columns; None: it has them as it is."""
    in_columns: Callable[[pl.DataFrame], tuple[pl.DataFrame, pl.Expr]] | None = None
    """The same for a frame, and for which rows it could; without it, `turn` goes row by row."""
    task: str | None = None
    """What its rows are, where that is sure and no row says it."""
    looks: Callable[[Sequence[Values]], bool] | None = None
    """Whether rows that have the columns are of this kind; None: the columns suffice."""
    split: SplitText | None = None
    of_pairs: bool = False
    """Whether each row becomes two samples, a better and a worse one (`preference.py`)."""
    refused: str | None = None
    """Why rows of it are not read unless columns are named, and what to do instead."""

    def fits(self, rows: Sequence[Values]) -> bool:
        """Whether the first rows of a source have this shape."""
        having = [row for row in rows if self.needs <= row.keys()]
        # Columns that half of the rows lack are not what the source is made of.
        if 2 * len(having) <= len(rows) or not having:
            return False
        return self.looks is None or self.looks(having)


def _shape(name: str, needs: str, about: str, **more: Any) -> Shape:
    """A shape; options beyond those of `Shape` are its columns."""
    known = {key: more.pop(key) for key in list(more) if key in Shape.__dataclass_fields__}
    return Shape(name, frozenset(needs.split()), about, more, **known)


SHAPES: Final[tuple[Shape, ...]] = (
    _shape(
        "humaneval",
        "prompt test entry_point",
        "a function to be completed; the key is its check(candidate)",
        prompt="prompt",
        answer="test",
        turn=shaping.human_eval,
        task="code",
    ),
    _shape(
        "mbpp",
        "code test_list",
        "a programming task; the key is its list of asserts",
        prompt="text",
        answer="test_list",
        turn=shaping.mbpp,
        task="code",
    ),
    _shape(
        "openr1",
        "problem generations",
        "several generations of each problem, a sample for each",
        prompt="problem",
        completion="generations",
        answer="answer",
        turn=shaping.generations,
        task="math",
    ),
    _shape(
        "openthoughts_metadata",
        "problem deepseek_reasoning deepseek_solution",
        "problem, thought and answer in columns",
        prompt="problem",
        thought="deepseek_reasoning",
        completion="deepseek_solution",
    ),
    _shape(
        "s1k_deepseek",
        "question deepseek_thinking_trajectory deepseek_attempt",
        "a question with a thought and an attempt of DeepSeek-R1",
        prompt="question",
        thought="deepseek_thinking_trajectory",
        completion="deepseek_attempt",
    ),
    _shape(
        "s1k",
        "question thinking_trajectories attempt",
        "a question with a list of one thought, and an attempt",
        prompt="question",
        thought="thinking_trajectories",
        completion="attempt",
        turn=shaping.trajectories,
    ),
    _shape(
        "choices",
        "question choices",
        "a question with a list of options; the key is a letter",
        prompt="question",
        answer="answer",
        turn=shaping.multiple_choice,
        task="choice",
        looks=shaping.have_a_key,
    ),
    _shape(
        "options",
        "question options",
        "a question with a list of options; the key is a letter",
        prompt="question",
        answer="answer",
        turn=shaping.multiple_choice,
        task="choice",
        looks=shaping.have_a_key,
    ),
    _shape(
        "gsm8k",
        "question answer",
        "a question and a worked solution with the key behind ####",
        prompt="question",
        answer="answer",
        split=SplitText(column="answer", at="####", into=("worked_solution", "answer")),
        task="math",
        looks=shaping.end_in_hashes,
    ),
    _shape(
        "preference",
        "chosen rejected",
        "a better and a worse completion, a sample of each",
        prompt="prompt",
        completion="chosen",
        system="system",
        turn=preference,
        of_pairs=True,
    ),
    _shape(
        "sample_pairs",
        "prompt_id prompt completion pair side",
        "a sample in each row, pairs made by potstill; reuse takes them over",
        refused="rows with pair and side are the preference pairs of a step, and half of them are "
        "rejected ones. Take the step over as it is, reuse: {source: ITS_FOLDER}, or load an "
        "export of it",
    ),
    _shape(
        "samples",
        "prompt_id prompt completion generation",
        "rows of potstill itself",
        prompt="prompt",
        completion="completion",
    ),
    _shape(
        "problem_solution",
        "problem solution",
        "a problem and a worked solution; the key is what stands in its last box",
        prompt="problem",
        answer="answer",
        turn=shaping.boxed_key,
        in_columns=shaping.boxed_keys,
        task="math",
        looks=shaping.only_boxes_have_keys,
    ),
    _shape(
        "sharegpt",
        "conversations",
        "turns of {from, value}, perhaps a system prompt beside them",
        prompt="conversations",
        system="system",
    ),
    _shape("messages", "messages", "turns of {role, content}", prompt="messages"),
    _shape(
        "alpaca",
        "instruction output",
        "an instruction, perhaps an input, a history and a system prompt; and an output",
        prompt="$instruction\n${input?}",
        completion="output",
        history="history",
        system="system",
    ),
    _shape(
        "prompt_completion",
        "prompt completion",
        "a prompt and its completion",
        prompt="prompt",
        completion="completion",
    ),
    _shape(
        "prompt_response",
        "prompt response",
        "a prompt and its response",
        prompt="prompt",
        completion="response",
    ),
    _shape(
        "question_response",
        "question response",
        "a question and its response, perhaps a system_prompt",
        prompt="question",
        completion="response",
        system="system_prompt",
    ),
    _shape(
        "math_questions",
        "question answer",
        "a question with a number, or a worked solution, that holds the key",
        prompt="question",
        answer="answer",
        task="math",
        looks=shaping.are_math,
    ),
    _shape(
        "math_problems",
        "problem answer",
        "the same, called problem",
        prompt="problem",
        answer="answer",
        task="math",
        looks=shaping.are_math,
    ),
    _shape(
        "question_answer",
        "question answer",
        "a question and its key",
        prompt="question",
        answer="answer",
    ),
    _shape(
        "problem_answer",
        "problem answer",
        "a problem and its key",
        prompt="problem",
        answer="answer",
    ),
    _shape("prompts", "prompt", "prompts alone", prompt="prompt"),
    _shape("questions", "question", "questions alone", prompt="question"),
    _shape("problems", "problem", "problems alone", prompt="problem"),
)
"""The first that fits is taken."""


def fitting(rows: Iterable[Values]) -> list[Shape]:
    """The shapes that the first rows of a source have, the most specific first."""
    seen = list(rows)
    return [shape for shape in SHAPES if shape.fits(seen)]
