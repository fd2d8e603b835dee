"""Lengths of the parts of a sample: split as models/thinking.py splits."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.thinking import split
from potstill.stages.selecting.measures import Part, Unit, length_of, text_of

_pieces = st.sampled_from(["<think>", "</think>", "a", "中文", " ", "\n", "<think"])
_texts = st.lists(st.lists(_pieces, max_size=8).map("".join), min_size=1, max_size=8)


def _measured(completion: str | None, part: Part, unit: Unit) -> int | None:
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "中文 3.14"}]
    made = {"prompt_tokens": 7, "completion_tokens": None}
    row = {"completion": [completion], "prompt": [turns], "generation": [made]}
    frame = pl.DataFrame(row, schema_overrides={"completion": pl.String})
    length: int | None = frame.select(length_of(part, unit)).item()
    return length


@settings(deadline=None)
@given(_texts)
def test_thought_and_answer_are_those_of_the_judges(texts: list[str]) -> None:
    frame = pl.DataFrame({"completion": texts})
    found = frame.select(thought=text_of("thought"), answer=text_of("answer"))
    for text, row in zip(texts, found.iter_rows(named=True), strict=True):
        parts = split(text)
        assert row["thought"] == (text[slice(*parts.thought)].strip() if parts.thought else "")
        answer = text[slice(*parts.answer)] if parts.answer else ""
        assert row["answer"].strip() == answer.strip()


@pytest.mark.parametrize(
    ("completion", "part", "unit", "expected"),
    [
        ("<think>ab</think>中文", "completion", "characters", 19),
        ("<think>ab</think>中文", "thought", "characters", 2),
        ("<think>ab</think>中文", "answer", "characters", 2),
        ("<think>ab</think>中文", "answer", "words", 2),
        ("no thought", "thought", "characters", 0),
        ("<think>never closed", "thought", "words", 2),
        ("<think>never closed", "answer", "characters", 0),
        ("", "completion", "words", 0),
        (None, "completion", "characters", None),
        (None, "thought", "words", None),
        (None, "answer", "characters", None),
        (None, "prompt", "characters", 15),
        (None, "prompt", "words", 6),
        (None, "prompt", "tokens", 7),
        ("a", "completion", "tokens", None),
    ],
)
def test_lengths(completion: str | None, part: Part, unit: Unit, expected: int | None) -> None:
    assert _measured(completion, part, unit) == expected
