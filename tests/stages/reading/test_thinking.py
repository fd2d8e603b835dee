"""Thoughts in every form that datasets have become <think>…</think>answer, and are counted."""

from __future__ import annotations

from typing import Any

import pytest

from potstill.pipeline.sample import Message, Sample
from potstill.stages.reading.columns import meaning
from potstill.stages.reading.rows import BadRow
from potstill.stages.reading.thinking import in_tags

LONG = "one and one, side by side, are two"
APART = f"<think>\n{LONG}\n</think>\n\n2"

FORMS = {
    "tags are kept byte for byte": (" <think> t </think> 2 ", None, "<think>"),
    "a prefilled tag": ("t</think>2", None, "<think>"),
    "a thought that never ends": ("<think>and so on", None, "not closed"),
    "no thought": ("It is 2.", None, "none"),
    "nothing": ("", None, "none"),
    "OpenThoughts": (
        "<|begin_of_thought|>\n\nt\n\n<|end_of_thought|>\n\n"
        "<|begin_of_solution|>\n\n2\n\n<|end_of_solution|>",
        "<think>\nt\n</think>\n\n2",
        "<|begin_of_thought|>",
    ),
    "a solution that was cut": (
        "<|begin_of_thought|>t<|end_of_thought|><|begin_of_solution|>so it",
        "<think>\nt\n</think>\n\nso it",
        "<|begin_of_thought|>",
    ),
    "a thought that was cut": ("<|begin_of_thought|>and so on", None, "not closed"),
    "reasoning": ("<reasoning>t</reasoning>2", "<think>\nt\n</think>\n\n2", "<reasoning>"),
    "thinking": ("\n<thinking>t</thinking>\n2", "<think>\nt\n</think>\n\n2", "<thinking>"),
    "thought": ("<thought>t</thought>2", "<think>\nt\n</think>\n\n2", "<thought>"),
    "tags that are spoken of": ("Use <reasoning> tags.", None, "none"),
}


@pytest.mark.parametrize(("text", "expected", "form"), FORMS.values(), ids=FORMS.keys())
def test_forms(text: str, expected: str | None, form: str) -> None:
    assert in_tags(text) == (text if expected is None else expected, form)


def turned(row: dict[str, Any], **columns: str) -> tuple[Sample, str]:
    means, _ = meaning(columns or None, {}, "here").for_rows([row])
    return means.samples(row)[0]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_a_thought_in_a_column_or_a_field(name: str) -> None:
    row = {"prompt": "1+1", "response": " 2\n", name: f"\n{LONG}\n"}
    sample, form = turned(row)
    assert (sample.completion, sample.extra, form) == (APART, "{}", "separate")
    turns = [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2", name: LONG}]
    for row in ({"messages": turns}, {"prompt": turns[:1], "completion": turns[1:]}):
        sample, form = turned(row)
        assert (sample.completion, form) == (APART, "separate")


def test_a_thought_in_a_column_that_is_named() -> None:
    row = {"q": "1+1", "why": "short", "a": "2", "reasoning": "not named, so it stays"}
    sample, form = turned(row, prompt="q", thought="why", completion="a")
    assert (sample.completion, form) == ("<think>\nshort\n</think>\n\n2", "separate")
    assert sample.extra == '{"reasoning":"not named, so it stays"}'
    with pytest.raises(BadRow, match="wrong_type:thought"):
        turned({**row, "why": ["short"]}, prompt="q", thought="why", completion="a")


STAYS = {
    "the completion has its own": ({"response": "<think>t</think>2", "reasoning": LONG}, "<think>"),
    "there is no completion": ({"reasoning": LONG}, ""),
    "it is a label": ({"response": "2", "reasoning": "on"}, "none"),
    "it is no text": ({"response": "2", "reasoning": [LONG]}, "none"),
}


@pytest.mark.parametrize(("row", "form"), STAYS.values(), ids=STAYS.keys())
def test_a_column_that_is_not_the_thought_stays_in_extra(row: dict[str, Any], form: str) -> None:
    sample, found = turned({"prompt": "1+1", **row})
    assert (sample.completion, found) == (row.get("response"), form)
    assert "reasoning" in sample.extra


def test_a_blank_thought_is_none() -> None:
    turns = [
        {"role": "user", "content": "1+1"},
        {"role": "assistant", "content": "2", "reasoning_content": ""},
    ]
    assert turned({"messages": turns})[0].completion == "2"
    assert turned({"prompt": "1+1", "completion": "2", "thinking": " "})[0].completion == "2"


def test_a_completion_of_one_turn_has_one_thought() -> None:
    with pytest.raises(BadRow, match="two_thoughts"):
        turned({"prompt": "1+1", "completion": [TURN]})


TURN = {"role": "assistant", "content": "<think>t</think>2", "reasoning_content": LONG}
BAD = {
    "two thoughts": ([{"role": "user", "content": "1+1"}, TURN], "two_thoughts"),
    "a thought of an earlier turn": (
        [
            {"role": "user", "content": "1+1"},
            {**TURN, "content": "2"},
            {"role": "user", "content": "2+2"},
        ],
        "more_than_text",
    ),
    "a thought of the user": (
        [{"role": "user", "content": "1+1", "thinking": LONG}],
        "more_than_text",
    ),
}


@pytest.mark.parametrize(("turns", "reason"), BAD.values(), ids=BAD.keys())
def test_thoughts_that_nobody_would_see_set_the_row_aside(turns: Any, reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        turned({"messages": turns})
    assert caught.value.reason == reason


def test_system_and_history_stand_before_the_question() -> None:
    row = {
        "instruction": "3+3",
        "input": "",
        "output": "6",
        "history": [["1+1", "2"]],
        "system": "Be short.",
    }
    sample, _ = turned(row)
    assert sample.prompt == (
        Message("system", "Be short."),
        Message("user", "1+1"),
        Message("assistant", "2"),
        Message("user", "3+3"),
    )
    assert sample.extra == "{}"


SYSTEMS = {
    "once": ("Be short.", None),
    "twice the same": ("Be brief.", None),
    "another": ("Be long.", "two_systems"),
    "no text": (3, "wrong_type:system"),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_prompt_beside_a_conversation(name: str) -> None:
    system, reason = SYSTEMS[name]
    asks = {"from": "human", "value": "1+1"}
    turns = [asks] if name == "once" else [{"from": "system", "value": "Be brief."}, asks]
    row = {"conversations": [*turns, {"from": "gpt", "value": "2"}], "system": system}
    if reason is None:
        assert [turn.role for turn in turned(row)[0].prompt] == ["system", "user"]
        return
    with pytest.raises(BadRow, match=reason):
        turned(row)
