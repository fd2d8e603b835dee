"""Rows in columns and rows one by one become the same samples and the same bad rows."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potstill.stages.reading.blocks import LINE, Columns, Listed, Understood, without_nulls
from potstill.stages.reading.column_samples import column_samples
from potstill.stages.reading.columns import Meaning, meaning
from potstill.stages.reading.rows import Row
from potstill.stages.reading.split_text import SplitText
from potstill.stages.reading.understanding import understand

TEXT = st.sampled_from(
    [
        "",
        " ",
        "a",
        "\u00a0",
        "x\x1f",
        "x\x85 ",
        "what is the sum of these two numbers",
        "多少",
        "0",
        "<think>\nt\n</think>\n5",
        "<think>open",
        "<|begin_of_thought|>t<|end_of_thought|>s",
        "a####1",
        "b####",
        "####c ",
        "so \\boxed{7}",
        "\\boxed{open",
        "\x1fthe thought of a model \u00a0",
        '"quoted" \\ \u2028',
        "$5",
    ]
)
ROLE = st.sampled_from(["user", "assistant", "system", "human", "gpt", "tool"])
VALUE = st.none() | TEXT


def turns(role: str, content: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    turn = st.fixed_dictionaries({role: ROLE, content: VALUE, **more})
    return st.none() | st.lists(turn, max_size=3)


BESIDE = {
    "answer": VALUE | st.integers(-5, 5),
    "level": st.none() | st.integers(0, 3),
    "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "tags": st.none() | st.lists(st.sampled_from(["a", "ä"]), max_size=2),
    "flag": st.none() | st.booleans(),
    "id": st.none() | st.integers(0, 3),
    "source": VALUE,
    "language": st.none() | st.sampled_from(["en", "zh"]),
    "finish_reason": st.none() | st.sampled_from(["stop", "length", ""]),
    "reasoning": VALUE,
    "thinking": st.sampled_from(["on", "off"]),
    "generation": st.none()
    | st.fixed_dictionaries(
        {"finish_reason": st.sampled_from(["stop", None]), "index": st.none() | st.integers(0, 3)},
        optional={"key": TEXT, "prefilled_think": st.none() | st.booleans()},
    ),
}
KINDS = {
    "prompt_completion": {"prompt": VALUE, "completion": VALUE},
    "thought": {"question": VALUE, "reasoning_content": VALUE, "response": VALUE},
    "two": {"question": VALUE, "problem": VALUE, "output": VALUE},
    "alpaca": {
        "instruction": VALUE,
        "input": VALUE,
        "output": VALUE,
        "history": st.none() | st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=2),
        "system": VALUE,
    },
    "messages": {"messages": turns("role", "content")},
    "thinking_messages": {"messages": turns("role", "content", reasoning_content=VALUE)},
    "sharegpt": {"conversations": turns("from", "value"), "system": VALUE, "completion": VALUE},
    "question_response": {"question": VALUE, "response": VALUE, "system_prompt": VALUE},
    "problem_solution": {"problem": TEXT, "solution": VALUE},
    "openthoughts": {"problem": TEXT, "deepseek_reasoning": VALUE, "deepseek_solution": VALUE},
    "gsm8k": {"question": TEXT, "answer": TEXT},
}


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    columns = dict(KINDS[draw(st.sampled_from(sorted(KINDS)))])
    for name in draw(st.lists(st.sampled_from(sorted(BESIDE)), unique=True)):
        columns[name] = BESIDE[name]
    return draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=6))


def both_ways(means: Meaning, rows: list[dict[str, Any]]) -> tuple[Understood, Understood]:
    try:
        frame = pl.DataFrame(rows, strict=True, infer_schema_length=None)
    except (TypeError, pl.exceptions.PolarsError):  # an answer that is a number in some rows
        frame = pl.DataFrame([{**row, "answer": None} for row in rows], infer_schema_length=None)
    values = [without_nulls(row) for row in frame.to_dicts()]
    columns = frame.with_columns(pl.Series(LINE, range(1, len(rows) + 1), pl.Int64))
    lines = [json.dumps(row, ensure_ascii=False) for row in values]
    listed = [Row(n, row, lines[n - 1].encode()) for n, row in enumerate(values, start=1)]
    return (
        understand(means, Columns("rows", columns, lines.__getitem__)),
        understand(means, Listed("rows", listed)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_columns_mean_what_rows_mean(rows: list[dict[str, Any]]) -> None:
    means, _ = meaning(None, {}, "here").for_rows([without_nulls(row) for row in rows])
    fast, slow = both_ways(means, rows)
    assert fast.samples.to_dicts() == slow.samples.to_dicts()
    assert [(bad.number, bad.reason) for bad in fast.bad] == [
        (bad.number, bad.reason) for bad in slow.bad
    ]
    assert (fast.used, fast.forms) == (slow.used, slow.forms)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries({"question": VALUE, "answer": VALUE}), min_size=1))
def test_a_cut_column_and_laid_out_texts(rows: list[dict[str, Any]]) -> None:
    split = SplitText(column="answer", at="####", into=("worked", "key"))
    columns = {
        "prompt": "question",
        "completion": "<think>\n$worked\n</think>\n$$$key${nothing?} ",
        "answer": "key",
    }
    fast, slow = both_ways(meaning(columns, {"task": "math"}, "here", split), rows)
    assert fast.samples.to_dicts() == slow.samples.to_dicts()
    assert [bad.reason for bad in fast.bad] == [bad.reason for bad in slow.bad]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "how many?", "completion": "5", "level": 3, "finish_reason": "stop"},
        {"prompt": "q", "completion": "a", "generation": {"finish_reason": "stop", "index": 1}},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
        {"instruction": "do", "input": "", "output": "done"},
        {"question": "q", "answer": "12"},
        {"problem": "p", "answer": 3, "solution": "s"},
        {"problem": "p", "solution": "so \\boxed{3}"},
        {"instruction": "do", "output": "done", "history": [], "system": "Be short."},
        {"prompt": "q", "reasoning_content": "long and winding thought", "response": "a"},
        {"problem": "p", "deepseek_reasoning": "long", "deepseek_solution": "3"},
        {
            "messages": [
                {"role": "user", "content": "q", "reasoning_content": None},
                {"role": "assistant", "content": "a", "reasoning_content": "t"},
            ]
        },
    ],
)
def test_common_shapes_are_read_in_columns(row: dict[str, Any]) -> None:
    frame = pl.DataFrame([row]).with_columns(pl.Series(LINE, [1], pl.Int64))
    means, _ = meaning(None, {}, "here").for_rows([row])
    found = column_samples(means, frame)
    assert found is not None
    assert found["__plain__"].all()
