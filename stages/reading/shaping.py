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
from typing import Any

from ...filters.answers.boxed import find_boxes
from .rows import BadRow
from .thinking import joined

_NUMBER = re.compile(r"[-+]?\\?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?\$?")
LETTERS = "ABCDEFGHIJ"
"""Of the options of a question; judges read no more."""


def ends_in_hashes(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether most answers have a key behind ####, as GSM8K's have."""
    found = [isinstance(row["answer"], str) and "####" in row["answer"] for row in rows]
    return 2 * sum(found) > len(found)


def keys_are_numbers(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every key is a number, however it is spelled."""
    keys = [row["answer"] for row in rows]
    return all(
        isinstance(key, (int, float, str))
        and not isinstance(key, bool)
        and _NUMBER.fullmatch(str(key).strip())
        for key in keys
    )


def has_no_answer(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no row has an answer beside its solution."""
    return all(row.get("answer") in (None, "") for row in rows)


def human_eval(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The key is the code of `check(candidate)`, as the `code` filter reads it."""
    rest = _without(row, "test", "entry_point")
    test, entry = _text(row, "test"), _text(row, "entry_point")
    return [{**rest, "answer": _json(kind="asserts", entry_point=entry, code=test)}]


def mbpp(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The key is the list of asserts behind the code that sets them up."""
    tests = _texts(row, "test_list")
    set_up = [row[name] for name in ("test_setup_code", "test_imports") if row.get(name)]
    lines = [line for each in set_up for line in (each if isinstance(each, list) else [each])]
    task = "prompt" if isinstance(row.get("prompt"), str) else "text"
    rest = _without(row, "test_list", "test_setup_code", "test_imports", task)
    code = "\n".join([*map(str, lines), *tests])
    key = _json(kind="asserts", entry_point=_called(_text(row, "code"), code), code=code)
    return [{**rest, "prompt": _text(row, task), "answer": key}]


def generations(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each generation; lists as long as theirs give each its own element."""
    answers = _texts(row, "generations")
    if not answers:
        raise BadRow("no_generations")
    parallel = [
        name
        for name, value in row.items()
        if name != "generations" and isinstance(value, list) and len(value) == len(answers)
    ]
    rest = _without(row, "generations", *parallel)
    return [
        {
            **rest,
            **{name: row[name][index] for name in parallel if row[name][index] is not None},
            **_ended(row, index),
            "completion": answer,
            "generation_index": index,
        }
        for index, answer in enumerate(answers)
    ]


def deepseek_columns(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Reasoning and solution of the metadata of OpenThoughts."""
    completion = joined(_text(row, "deepseek_reasoning"), _text(row, "deepseek_solution"))
    return [{**_without(row, "deepseek_reasoning", "deepseek_solution"), "completion": completion}]


def trajectories(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The one thought of s1K and its attempt."""
    thoughts = _texts(row, "thinking_trajectories")
    if len(thoughts) != 1:
        raise BadRow("several_thoughts" if thoughts else "missing:thinking_trajectories")
    completion = joined(thoughts[0], _text(row, "attempt"))
    return [{**_without(row, "thinking_trajectories", "attempt"), "completion": completion}]


def multiple_choice(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Options on lettered lines below the question; the key is a letter."""
    options = row["choices"]
    if isinstance(options, Mapping):  # ARC: {text: […], label: […]}
        labels, texts = _texts(options, "label"), _texts(options, "text")
    else:
        texts = _texts(row, "choices")
        labels = list(LETTERS[: len(texts)])
    if not 2 <= len(texts) <= len(LETTERS) or len(labels) != len(texts):
        raise BadRow("wrong_number_of_options")
    listed = (f"{letter}. {text}" for letter, text in zip(LETTERS, texts, strict=False))
    prompt = "\n".join([_text(row, "question"), *listed])
    key = LETTERS[_place(row.get("answer"), texts, labels)]
    return [{**_without(row, "question", "choices", "answer"), "prompt": prompt, "answer": key}]


def boxed_key(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The key is what stands in the last box of the solution, none where there is no box."""
    solution = row.get("solution")
    if not isinstance(solution, str):
        return [dict(row)]
    boxes = find_boxes(solution)
    if not boxes.contents or boxes.last_is_unclosed:
        return [dict(row)]
    start, end = boxes.contents[-1]
    return [{**row, "answer": solution[start:end].strip()}]


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


def _ended(row: Mapping[str, Any], index: int) -> dict[str, Any]:
    """How a generation ended, where the row says it."""
    reasons = row.get("finish_reasons")
    if not isinstance(reasons, list) or index >= len(reasons) or reasons[index] is None:
        return {}
    return {"generation": {"finish_reason": reasons[index], "index": index}}


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        raise BadRow(f"missing:{name}")
    if not isinstance(value, str):
        raise BadRow(f"wrong_type:{name}")
    return value


def _texts(row: Mapping[str, Any], name: str) -> list[str]:
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRow(f"wrong_type:{name}" if value is not None else f"missing:{name}")
    return value


def _json(**key: Any) -> str:
    return json.dumps(key, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
