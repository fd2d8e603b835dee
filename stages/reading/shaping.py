"""How rows of a known shape become rows with well-known columns (`shapes.py`).

Each function takes a row and gives the rows that it becomes: one, or several where a problem has
several answers. A reference solution never becomes a completion here, since load does not invent
what a model would have said; it stays in the row, and a mapping can use it. What does not have the
form that its shape promises is a bad row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import polars as pl

from ...filters.answers.boxed import find_boxes
from .rows import BadRow

Values: TypeAlias = Mapping[str, Any]

_NUMBER = re.compile(r"[-+]?\\?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?\$?")
LETTERS = "ABCDEFGHIJ"
"""Of the options of a question; judges read no more."""


_PER_GENERATION = (
    "is_reasoning_complete",
    "correctness_math_verify",
    "correctness_llama",
    "finish_reasons",
)
"""Columns of OpenR1-Math-220k with an element for each generation."""
_KEYS = ("answer", "answerKey")
_OPTIONS = ("choices", "options")


def end_in_hashes(rows: Sequence[Values]) -> bool:
    """Whether most answers have a key behind ####, as GSM8K's have."""
    found = [isinstance(row["answer"], str) and "####" in row["answer"] for row in rows]
    return 2 * sum(found) > len(found)


def are_math(rows: Sequence[Values]) -> bool:
    """Whether every key is a number, however it is spelled, or most solutions have a box."""
    return all(_is_number(row["answer"]) for row in rows) or _have_boxes(rows)


def only_boxes_have_keys(rows: Sequence[Values]) -> bool:
    """Whether no row has an answer, and most solutions have a box."""
    return all(row.get("answer") in (None, "") for row in rows) and _have_boxes(rows)


def have_a_key(rows: Sequence[Values]) -> bool:
    """Whether every row says which option is right."""
    return all(_key_column(row) in row for row in rows)


def human_eval(row: Values) -> list[dict[str, Any]]:
    """The key is the code of `check(candidate)`, as the `code` filter reads it."""
    test, entry = _text(row, "test"), _text(row, "entry_point")
    key = _json(kind="asserts", entry_point=entry, code=test)
    return [{**_without(row, "entry_point"), "test": key}]


def mbpp(row: Values) -> list[dict[str, Any]]:
    """The key is the list of asserts behind the code that sets them up."""
    tests = _texts(row, "test_list")
    set_up = [row[name] for name in ("test_setup_code", "test_imports") if row.get(name)]
    lines = [line for each in set_up for line in (each if isinstance(each, list) else [each])]
    code = "\n".join([*map(str, lines), *tests])
    key = _json(kind="asserts", entry_point=_called(_text(row, "code"), code), code=code)
    return [{**_without(row, "test_setup_code", "test_imports"), "test_list": key}]


def generations(row: Values) -> list[dict[str, Any]]:
    """One row for each generation, with its own elements of the lists that have one for each."""
    answers = _texts(row, "generations")
    if not answers:
        raise BadRow("no_generations")
    own = [
        name
        for name in _PER_GENERATION
        if isinstance(row.get(name), list) and len(row[name]) == len(answers)
    ]
    rest = _without(row, *own)
    return [
        {
            **rest,
            **{
                name: row[name][index]
                for name in own
                if name != "finish_reasons" and row[name][index] is not None
            },
            **_made(row, index, own),
            "generations": answer,
        }
        for index, answer in enumerate(answers)
    ]


def trajectories(row: Values) -> list[dict[str, Any]]:
    """The one thought of s1K."""
    thoughts = _texts(row, "thinking_trajectories")
    if len(thoughts) != 1:
        raise BadRow("several_thoughts" if thoughts else "missing:thinking_trajectories")
    return [{**row, "thinking_trajectories": thoughts[0]}]


def multiple_choice(row: Values) -> list[dict[str, Any]]:
    """Options on lettered lines below the question; the key is a letter."""
    column = next(name for name in _OPTIONS if name in row or name == _OPTIONS[-1])
    options = row.get(column)
    if isinstance(options, Mapping):  # ARC: {text: […], label: […]}
        labels, texts = _texts(options, "label"), _texts(options, "text")
    else:
        texts = _texts(row, column)
        labels = list(LETTERS[: len(texts)])
    if not 2 <= len(texts) <= len(LETTERS) or len(labels) != len(texts):
        raise BadRow("wrong_number_of_options")
    listed = (f"{letter}. {text}" for letter, text in zip(LETTERS, texts, strict=False))
    prompt = "\n".join([_text(row, "question"), *listed])
    key = LETTERS[_place(row.get(_key_column(row)), texts, labels)]
    return [{**_without(row, column, *_KEYS), "question": prompt, "answer": key}]


def boxed_key(row: Values) -> list[dict[str, Any]]:
    """The key is what stands in the last box of the solution, none where there is no box."""
    solution, told = row.get("solution"), row.get("answer")
    key = _boxed(solution) if isinstance(solution, str) and told in (None, "") else None
    return [dict(row) if key is None else {**row, "answer": key}]


def boxed_keys(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Expr]:
    """`boxed_key` for columns."""
    if frame.schema.get("solution") != pl.String:
        return frame, pl.lit(False)
    keys = [_boxed(text) if text is not None else None for text in frame["solution"].to_list()]
    found = pl.Series(keys, dtype=pl.String)
    told = frame.schema.get("answer", pl.Null)
    if told == pl.Null:
        return frame.with_columns(answer=found), pl.lit(True)
    if told != pl.String:
        return frame, pl.lit(False)
    own = pl.when(pl.col("answer") != "").then("answer")
    return frame.with_columns(answer=pl.coalesce(own, found, "answer")), pl.lit(True)


def _boxed(solution: str) -> str | None:
    boxes = find_boxes(solution)
    if not boxes.contents or boxes.last_is_unclosed:
        return None
    start, end = boxes.contents[-1]
    return solution[start:end].strip()


def _have_boxes(rows: Sequence[Values]) -> bool:
    solutions = [row.get("solution") for row in rows]
    boxed = [isinstance(text, str) and _boxed(text) is not None for text in solutions]
    return 2 * sum(boxed) > len(boxed)


def _is_number(key: Any) -> bool:
    return (
        isinstance(key, (int, float, str))
        and not isinstance(key, bool)
        and _NUMBER.fullmatch(str(key).strip()) is not None
    )


def _key_column(row: Values) -> str:
    return next((name for name in _KEYS if row.get(name) is not None), _KEYS[0])


def _place(answer: Any, texts: Sequence[str], labels: Sequence[str]) -> int:
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(texts):
        return answer
    for known in (labels, texts):
        if isinstance(answer, str) and known.count(answer) == 1:
            return known.index(answer)
    raise BadRow("answer_is_no_option")


def _called(program: str, tests: str) -> str:
    """The function of the reference program that the tests call."""
    names = re.findall(r"^def (\w+)", program, re.MULTILINE)
    called = [name for name in names if re.search(rf"\b{name}\(", tests)]
    if not called:
        raise BadRow("no_entry_point")
    return str(called[-1])


def _made(row: Values, index: int, own: Sequence[str]) -> dict[str, Any]:
    """How a generation ended where the row says it, else only which of them it is."""
    reason = row["finish_reasons"][index] if "finish_reasons" in own else None
    if reason is None:
        return {"generation_index": index}
    return {"generation": {"finish_reason": reason, "index": index}}


def _without(row: Values, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _text(row: Values, name: str) -> str:
    value = row.get(name)
    if value is None:
        raise BadRow(f"missing:{name}")
    if not isinstance(value, str):
        raise BadRow(f"wrong_type:{name}")
    return value


def _texts(row: Values, name: str) -> list[str]:
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRow(f"wrong_type:{name}" if value is not None else f"missing:{name}")
    return value


def _json(**key: Any) -> str:
    return json.dumps(key, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
