"""Thought and answer in columns, against the rule for one completion."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.models.thinking import split
from potstill.stages.exporting.thoughts import answer, is_open, thought

PIECES = st.sampled_from(["<think>", "</think>", "a", " ", "\n", "思", "<think", "é\u2028"])


@given(st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=5))
def test_columns_and_single_completions_agree(completions: list[str]) -> None:
    told = pl.col("completion")
    rows = pl.DataFrame({"completion": completions}).select(
        thought=thought(told), answer=answer(told), open=is_open(told)
    )
    for text, row in zip(completions, rows.iter_rows(named=True), strict=True):
        parts = split(text)
        assert row["open"] == parts.unclosed
        if parts.unclosed:
            continue
        assert parts.answer is not None
        expected = text[slice(*parts.answer)]
        assert row["answer"] == (expected.strip() if parts.thought else expected)
        assert row["thought"] == (text[slice(*parts.thought)].strip() if parts.thought else None)


@pytest.mark.parametrize("expression", [thought, answer])
def test_no_completion_stays_none(expression: object) -> None:
    rows = pl.DataFrame({"completion": [None]}, schema={"completion": pl.String})
    assert rows.select(expression(pl.col("completion"))).item() is None  # type: ignore[operator]
    assert rows.select(is_open(pl.col("completion"))).item() is False
