"""The shape of completions: spans of defects, settings; the labelled cases are in cases/."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.format import Allowable, Format
from potstill.pipeline.sample import Message, new_sample
from potstill.pipeline.verdict import Verdict


def judge(completion: str, prompt: str = "", **config: Any) -> Verdict:
    sample = new_sample((Message("user", prompt),), completion=completion)
    return Format(**config).judge_one(sample)


def shown(completion: str, reason: str, **config: Any) -> list[str]:
    """The texts of the places of a defect."""
    defects = judge(completion, **config).evidence["defects"]
    return [completion[start:end] for start, end in defects[reason]]


@pytest.mark.parametrize(
    ("completion", "reason", "places"),
    [
        ("<think>a</think>b<think>c</think>d", "repeated_thinking", ["<think>"]),
        ("<think>a<think>b</think>c", "nested_thinking", ["<think>"]),
        ("<think>a</think>b</think>c", "thinking_closed_twice", ["</think>"]),
        ("a</think>b", "thinking_not_opened", ["</think>"]),
        ("<think>a", "thinking_not_closed", ["<think>"]),
        ("Well: <think>a</think>b", "text_before_thinking", ["Well: "]),
        ("<think> \n</think>b", "empty_thinking", [" \n"]),
        ("<think>a</think> \n", "no_answer", [" \n"]),
        ("no tags", "no_thinking", ["no tags"]),
        ("<think>a</think>5</s><|im_end|>", "template_debris", ["</s>", "<|im_end|>"]),
        ("<|im_start|>assistant\n<think>a</think>5", "template_debris", ["<|im_start|>assistant"]),
        ("<think>a</think>5\n\nHuman: b\n\nAssistant: c", "role_header", ["Human:", "Assistant:"]),
        ("<think>a</think><tool_call>5</tool_call>", "tool_call", ["<tool_call>", "</tool_call>"]),
        ("<Think>a</think>b", "wrong_thinking_tag", ["<Think>"]),
        ("<think>a</think><answer>5", "answer_tag_not_closed", ["<answer>"]),
    ],
)
def test_every_defect_shows_its_places(completion: str, reason: str, places: list[str]) -> None:
    assert [place.strip(" ") or place for place in shown(completion, reason)] == [
        place.strip(" ") or place for place in places
    ]


def test_all_defects_are_told_and_the_gravest_decides() -> None:
    verdict = judge("Sure <think> </think>5<|im_end|>\n\nUser: more?")
    assert verdict.reason == "text_before_thinking"
    assert list(verdict.evidence["defects"]) == [
        "text_before_thinking",
        "empty_thinking",
        "template_debris",
        "role_header",
    ]


def test_what_is_allowed_decides_nothing() -> None:
    text = "Sure <think> </think>5<|im_end|>"
    assert judge(text, allow=["text_before_thinking"]).reason == "empty_thinking"
    assert judge(text, allow=["text_before_thinking", "empty_thinking"]).reason == "template_debris"
    everything = list(get_args(Allowable))
    assert judge(text, allow=everything).score == 1.0
    assert judge("<think>a", allow=everything).reason == "thinking_not_closed"
    assert judge("<think>a</think> ", allow=everything).reason == "no_answer"


def test_only_defects_can_be_allowed() -> None:
    assert set(get_args(Allowable)) <= Format.reasons
    with pytest.raises(ValidationError):
        Format(allow=["thinking_not_closed"])


@pytest.mark.parametrize(
    "config",
    [
        {"open_tag": ""},
        {"open_tag": "<t>", "close_tag": "<t>"},
        {"open_tag": "think", "close_tag": "/think"},
        {"also_tags": [["", "</r>"]]},
        {"also_tags": [["<r>", "</r>", "<x>"]]},
    ],
)
def test_tags_that_cannot_be_told_apart_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Format(**config)


PIECES = ["<think>", "</think>", "a", " ", "\n", "<|im_end|>", "User: x\n", "`", "```\n", "<Think>"]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(texts, st.booleans())
def test_verdicts_are_whole_and_spans_lie_inside(text: str, prefilled: bool) -> None:
    verdict = judge(text, prefilled=prefilled)
    defects = verdict.evidence.get("defects", {})
    assert verdict.score == (0.0 if defects else 1.0)
    assert verdict.reason in Format.reasons
    assert not defects or verdict.reason in defects
    for spans in defects.values():
        assert spans
        assert all(0 <= start <= end <= len(text) for start, end in spans)


@given(texts)
def test_a_good_completion_has_one_block_in_front(text: str) -> None:
    if judge(text).score == 1.0:
        assert text.count("<think>") == text.count("</think>") == 1
        thought, _, answer = text.partition("</think>")
        assert thought.lstrip().startswith("<think>")
        assert thought.strip() != "<think>"
        assert answer.strip()


@given(texts)
def test_prefilled_reads_a_completion_like_one_with_the_tag_put_back(text: str) -> None:
    if "<think>" not in text:
        assert judge(text, prefilled=True).reason == judge("<think>" + text).reason


@pytest.mark.parametrize(
    "piece", ["<s>", "<|", "<|a", "\nUser: ", ".user\n", "```\n", "<tool_call"]
)
@pytest.mark.parametrize("prompt", ["", "write a ", "<s> User:"])
def test_hostile_text_takes_linear_time(piece: str, prompt: str) -> None:
    """Not timed: a quadratic pattern on 200,000 characters would run into the test timeout."""
    judge("<think>" + piece * (200_000 // len(piece)) + "</think>5", prompt * 5_000)
