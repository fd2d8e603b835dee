"""Splitting completions into thought and answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.models.thinking import Tags, reasoning_span, split, tag_spans


@pytest.mark.parametrize(
    ("completion", "thought", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("<think>a</think>", "a", ""),
        ("plain", None, "plain"),
        ("", None, ""),
        ("a</think>b", "a", "b"),
        ("<think>a", "a", None),
        ("<think>", "", None),
        ("x<think>a</think>b", "a", "b"),
        ("<think>a</think>b<think>c</think>d", "a</think>b<think>c", "d"),
        ("<think>a<think>b</think>c", "a<think>b", "c"),
        ("<think>a</think>b<think>c", "a</think>b<think>c", None),
        ("a</think>b<think>c", "a</think>b<think>c", None),
        ("<think>a</think>b</think>c", "a</think>b", "c"),
        ("<thinking>a</thinking>b", None, "<thinking>a</thinking>b"),
    ],
)
def test_the_answer_follows_the_last_closed_thought(completion, thought, answer):
    parts = split(completion)
    found = [completion[slice(*span)] if span else None for span in (parts.thought, parts.answer)]
    assert found == [thought, answer]


@pytest.mark.parametrize(
    ("completion", "thought", "answer"),
    [
        ("<reasoning>a</reasoning>b", "a", "b"),
        ("<think>a</think>b", None, "<think>a</think>b"),
        ("<reasoning>a", "a", None),
        ("a</reasoning>b", "a", "b"),
    ],
)
def test_other_tags_are_read_by_naming_them(completion, thought, answer):
    parts = split(completion, Tags("<reasoning>", "</reasoning>"))
    found = [completion[slice(*span)] if span else None for span in (parts.thought, parts.answer)]
    assert found == [thought, answer]


def test_the_places_of_a_tag():
    assert tag_spans("<think>a</think><think>", "<think>") == [(0, 7), (16, 23)]
    assert tag_spans("aaa", "aa") == [(0, 2)]
    assert tag_spans("", "<think>") == []


pieces = st.lists(st.sampled_from(["<think>", "</think>", "<thi", "nk>", "a", " ", "\n"]))


@given(pieces.map("".join))
def test_parts_lie_inside_and_do_not_overlap(completion: str):
    parts = split(completion)
    start, end = reasoning_span(parts, completion)
    assert 0 <= start <= end <= len(completion)
    if parts.answer is None:
        assert completion.rfind("<think>") > completion.rfind("</think>")
    else:
        assert parts.answer[1] == len(completion)
        assert "</think>" not in completion[slice(*parts.answer)]
        assert "<think>" not in completion[slice(*parts.answer)]
        if parts.thought is not None:
            assert parts.thought[1] <= parts.answer[0]
