"""What columns mean: names that are known, texts that a recipe writes, rows without sense."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Generation, Message, Sample
from potstill.stages.reading.columns import SplitText, meaning
from potstill.stages.reading.expressions import expression
from potstill.stages.reading.rows import BadRow


def sample_of(row: dict[str, Any], columns: dict[str, str] | None = None, **more: Any) -> Sample:
    return meaning(columns, more.pop("labels", {}), "here", more.pop("split", None)).samples(row)[
        0
    ][0]


def user(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


RECOGNISED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "our own fields": (
        {"prompt": "1+1", "completion": "2", "answer": "2", "task": "math", "language": "en"},
        {"completion": "2", "answer": "2", "task": "math", "language": "en", "source": "here"},
    ),
    "question before problem": (
        {"problem": "old", "question": "1+1", "answer": "2"},
        {"answer": "2", "extra": '{"problem":"old"}'},
    ),
    "a null column is no column": (
        {"prompt": None, "question": "1+1"},
        {"extra": '{"prompt":null}'},
    ),
    "alpaca": ({"instruction": "1+1", "input": "", "output": "2"}, {"completion": "2"}),
    "messages": (
        {
            "messages": [
                {"role": "user", "content": "1+1"},
                {"role": "assistant", "content": "2"},
            ]
        },
        {"completion": "2"},
    ),
    "ShareGPT": (
        {"conversations": [{"from": "human", "value": "1+1"}, {"from": "gpt", "value": "2"}]},
        {"completion": "2"},
    ),
    "trl": (
        {
            "prompt": [{"role": "user", "content": "1+1"}],
            "completion": [{"role": "assistant", "content": "2"}],
        },
        {"completion": "2"},
    ),
    "a whole number as key": ({"prompt": "1+1", "answer": 2}, {"answer": "2"}),
    "27.0 stays 27.0": ({"prompt": "1+1", "answer": 27.0}, {"answer": "27.0"}),
    "a decimal": ({"prompt": "1+1", "answer": Decimal("0.10")}, {"answer": "0.10"}),
    "a blank key is none": ({"prompt": "1+1", "answer": "  "}, {"answer": None}),
    "an empty completion is one": ({"prompt": "1+1", "completion": ""}, {"completion": ""}),
    "their id is kept beside ours": ({"id": 7, "prompt": "1+1"}, {"extra": '{"id":7}'}),
    "a source of their own": ({"prompt": "1+1", "source": "exam"}, {"source": "exam"}),
    "our extra is unpacked": (
        {"prompt": "1+1", "extra": '{"level":3}', "id": "x"},
        {"extra": '{"id":"x","level":3}'},
    ),
    "an extra that clashes stays packed": (
        {"prompt": "1+1", "extra": '{"id":"y"}', "id": "x"},
        {"extra": '{"extra":"{\\"id\\":\\"y\\"}","id":"x"}'},
    ),
    "an extra of theirs": ({"prompt": "1+1", "extra": "much"}, {"extra": '{"extra":"much"}'}),
    "extra with a hidden surrogate": (
        {"prompt": "1+1", "extra": '{"a":"\\ud800"}'},
        {"extra": json.dumps({"extra": '{"a":"\\ud800"}'}, separators=(",", ":"))},
    ),
    "dates, decimals and bytes": (
        {"prompt": "1+1", "d": datetime.date(2026, 1, 2), "n": Decimal("1.50"), "b": b"\xff"},
        {"extra": '{"b":{"base64":"/w=="},"d":"2026-01-02","n":"1.50"}'},
    ),
}


@pytest.mark.parametrize(("row", "expected"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_recognised(row: dict[str, Any], expected: dict[str, Any]) -> None:
    sample = sample_of(row)
    assert sample.prompt == user("1+1")
    assert {name: getattr(sample, name) for name in expected} == expected


def test_alpaca_joins_instruction_and_input() -> None:
    row = {"instruction": "Add.", "input": "1 and 1", "output": "2\n"}
    assert sample_of(row).question == "Add.\n1 and 1"
    assert sample_of(row).completion == "2\n"
    del row["input"]
    assert sample_of(row).question == "Add."


def test_a_conversation_keeps_its_turns() -> None:
    turns = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "1+1"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "2+2"},
    ]
    unanswered = sample_of({"messages": turns})
    assert [turn.role for turn in unanswered.prompt] == ["system", "user", "assistant", "user"]
    assert unanswered.completion is None
    answered = sample_of({"messages": [*turns, {"role": "assistant", "content": "4"}]})
    assert (answered.prompt, answered.completion) == (unanswered.prompt, "4")


MADE = {
    "teacher": "t",
    "revision": "r",
    "key": "k",
    "index": 0,
    "seed": None,
    "finish_reason": "stop",
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "prefilled_think": True,
}


def test_a_generation_of_ours_comes_back() -> None:
    sample = sample_of({"prompt": "1+1", "completion": "2", "generation": MADE})
    assert sample.generation == Generation(**MADE)


@pytest.mark.parametrize(
    "row", [{"finish_reason": "length"}, {"generation": {"finish_reason": "length"}}]
)
def test_others_need_only_say_how_a_completion_ended(row: dict[str, Any]) -> None:
    sample = sample_of({"prompt": "1+1", "completion": "2", **row})
    assert sample.generation is not None
    assert sample.generation.finish_reason == "length"
    assert sample.generation.completion_tokens is None
    assert sample.extra == "{}"


def test_an_answer_that_is_an_object_is_its_json() -> None:
    """Keys of the `code` filter are JSON: as text, or as they are."""
    key = {"kind": "stdio", "cases": [{"stdin": "é", "stdout": 2}]}
    text = '{"cases":[{"stdin":"é","stdout":2}],"kind":"stdio"}'
    assert sample_of({"prompt": "x", "answer": key}).answer == text


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no prompt": ({"answer": "2"}, "missing_prompt"),
    "prompt is null": ({"prompt": None}, "missing_prompt"),
    "empty": ({"prompt": ""}, "empty_prompt"),
    "blank": ({"prompt": " \n"}, "empty_prompt"),
    "no turns": ({"prompt": []}, "empty_prompt"),
    "only a system turn": ({"messages": [{"role": "system", "content": "x"}]}, "empty_prompt"),
    "only a reply": ({"messages": [{"role": "assistant", "content": "x"}]}, "empty_prompt"),
    "prompt is a number": ({"prompt": 3}, "wrong_type:prompt"),
    "turns are strings": ({"messages": ["hello"]}, "wrong_type:prompt"),
    "turn without text": ({"messages": [{"role": "user"}]}, "wrong_type:prompt"),
    "a tool's turn": ({"messages": [{"role": "tool", "content": "x"}]}, "unknown_role"),
    "a role that is no text": ({"messages": [{"role": [], "content": "x"}]}, "unknown_role"),
    "an image": (
        {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
        "more_than_text",
    ),
    "a call": (
        {"messages": [{"role": "user", "content": "x", "tool_calls": [1]}]},
        "more_than_text",
    ),
    "two replies": (
        {
            "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
            "output": "z",
        },
        "two_completions",
    ),
    "completion is a number": ({"prompt": "x", "completion": 2}, "wrong_type:completion"),
    "completion is a user's": (
        {"prompt": "x", "completion": [{"role": "user", "content": "y"}]},
        "wrong_type:completion",
    ),
    "answer is a list": ({"prompt": "x", "answer": ["2"]}, "wrong_type:answer"),
    "answer is true": ({"prompt": "x", "answer": True}, "wrong_type:answer"),
    "answer is NaN": ({"prompt": "x", "answer": float("nan")}, "nan_value"),
    "task is a number": ({"prompt": "x", "task": 1}, "wrong_type:task"),
    "NaN beside": ({"prompt": "x", "score": [float("inf")]}, "nan_value"),
    "an object beside": ({"prompt": "x", "thing": object()}, "unreadable_value"),
    "a generation of another kind": ({"prompt": "x", "generation": "gpt"}, "wrong_type:generation"),
    "a generation with more": (
        {"prompt": "x", "generation": {**MADE, "host": "h"}},
        "wrong_type:generation",
    ),
    "a generation that does not say how it ended": (
        {"prompt": "x", "generation": {**MADE, "finish_reason": None}},
        "wrong_type:generation",
    ),
    "a finish reason that is a number": (
        {"prompt": "x", "finish_reason": 1},
        "wrong_type:finish_reason",
    ),
    "a seed beyond 64 bits": (
        {"prompt": "x", "generation": {**MADE, "seed": 2**64}},
        "wrong_type:generation",
    ),
}


@pytest.mark.parametrize(("row", "reason"), BAD.values(), ids=BAD.keys())
def test_rows_without_sense(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        sample_of(row)
    assert caught.value.reason == reason


SOLVED = "<think>\n$worked\n</think>\nThe answer is \\boxed{$key}."
GSM8K = {"prompt": "question", "completion": SOLVED, "answer": "key"}
SPLIT = SplitText(column="answer", at="####", into=("worked", "key"))


def test_gsm8k() -> None:
    row = {"question": "How many?", "answer": "1 + 1 = <<1+1=2>>2 #### eggs\n#### 1,002\n"}
    sample = sample_of(row, GSM8K, split=SPLIT, labels={"task": "math"})
    worked = "1 + 1 = <<1+1=2>>2 #### eggs"
    assert sample.completion == f"<think>\n{worked}\n</think>\nThe answer is \\boxed{{1,002}}."
    assert (sample.answer, sample.task, sample.extra) == ("1,002", "math", "{}")


def test_the_half_that_is_not_used_is_kept() -> None:
    row = {"question": "How many?", "answer": "thought #### 2"}
    sample = sample_of(row, {"prompt": "question", "answer": "key"}, split=SPLIT)
    assert (sample.completion, sample.extra) == (None, '{"worked":"thought"}')


UNSPLIT = {
    "no separator": ({"question": "q", "answer": "2"}, "no_separator"),
    "no answer": ({"question": "q"}, "missing:answer"),
    "answer is a number": ({"question": "q", "answer": 2}, "wrong_type:answer"),
    "the name is taken": ({"question": "q", "answer": "1 #### 2", "key": "3"}, "column_taken"),
}


@pytest.mark.parametrize(("row", "reason"), UNSPLIT.values(), ids=UNSPLIT.keys())
def test_rows_that_cannot_be_split(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        sample_of(row, GSM8K, split=SPLIT)
    assert caught.value.reason == reason


TEXTS = {
    "two columns": ("$a and $b", "x and 2"),
    "braces": ("${a}ed", "xed"),
    "a name with a space": ("${a name}", "spaced"),
    "a dollar": ("$$$a", "$x"),
    "the end is trimmed": ("$a\n${gone?}\n", "x"),
    "optional and there": ("$a${b?}", "x2"),
    "no values are templates": ("$evil", "$a"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_texts(text: str, expected: str) -> None:
    row = {"a": "x", "b": 2, "a name": "spaced", "evil": "$a", "gone": None}
    assert expression(text).value(row) == expected


def test_a_text_needs_its_columns() -> None:
    with pytest.raises(BadRow, match="missing:b"):
        expression("$a $b").value({"a": "x", "b": None})
    with pytest.raises(BadRow, match="wrong_type:a"):
        expression("$a").value({"a": ["x"]})
    with pytest.raises(ValueError, match="begins no column"):
        expression("costs 5$")


def test_a_fixed_label_counts_more_than_a_name_that_is_only_known() -> None:
    row = {"prompt": "x", "source": "theirs", "task": "theirs"}
    sample = sample_of(row, labels={"source": "ours"})
    assert (sample.source, sample.task, sample.extra) == ("ours", "theirs", '{"source":"theirs"}')


def test_columns_that_are_named_are_all_that_counts() -> None:
    sample = sample_of({"q": "x", "answer": "2"}, {"prompt": "q"})
    assert (sample.answer, sample.extra) == (None, '{"answer":"2"}')


def test_what_was_understood_is_told() -> None:
    rows = [{"instruction": "a", "output": "b"}, {"instruction": "c", "answer": None}]
    assert meaning(None, {}, "here").understood(rows) == {
        "prompt": "$instruction\n${input?}",
        "completion": "output",
        "answer": "answer",
    }


NOWHERE: dict[str, tuple[dict[str, str] | None, SplitText | None, str]] = {
    "a slip": (
        {"prompt": "qestion"},
        None,
        "no column 'qestion' for the prompt; did you mean 'question'. Known: answer, question",
    ),
    "in a text": ({"prompt": "$question $hint"}, None, "no column 'hint' for the prompt"),
    "an optional field, but named": (
        {"prompt": "question", "answer": "solution"},
        None,
        "no column 'solution' for the answer",
    ),
    "nothing to split": (
        {"prompt": "question"},
        SplitText(column="anwser", at="#", into=("a", "b")),
        "split_text: there is no column 'anwser'; did you mean 'answer'",
    ),
    "a name that is taken": (
        {"prompt": "question"},
        SplitText(column="answer", at="#", into=("question", "key")),
        "makes a column 'question', which the source already has",
    ),
}


@pytest.mark.parametrize(("columns", "split", "message"), NOWHERE.values(), ids=NOWHERE.keys())
def test_columns_that_are_nowhere(
    columns: dict[str, str] | None, split: SplitText | None, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        meaning(columns, {}, "here", split).understood([{"question": "q", "answer": "a"}])


def test_no_column_for_the_prompt_names_what_there_is() -> None:
    with pytest.raises(RequestError, match=r"is 'promt' it\? Known: key, promt\. Name it with"):
        meaning(None, {}, "here").understood([{"promt": "x"}, {"key": "y"}])
