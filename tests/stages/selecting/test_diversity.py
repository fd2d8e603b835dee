"""Farthest first, against the same rule written the slow way."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.stages.selecting.diversity import farthest_first

_Shingles = set[tuple[str, ...]]


def _shingles(text: str) -> _Shingles:
    words = re.findall(r"[一-鿿]|[^\W_]+|[^\s]", text.lower())
    return {(*words[n : n + 3], *[""] * (3 - len(words[n : n + 3]))) for n in range(len(words))}


def _distance(one: _Shingles, two: _Shingles) -> float:
    return 1 - len(one & two) / len(one | two) if one | two else 0.0


def _slowly(texts: list[str], most: int) -> list[int]:
    sets = [_shingles(text) for text in texts]
    taken = [0]
    while len(taken) < min(most, len(texts)):
        rest = [n for n in range(len(texts)) if n not in taken]
        taken.append(max(rest, key=lambda n: (min(_distance(sets[n], sets[t]) for t in taken), -n)))
    return sorted(taken)


_words = st.lists(st.sampled_from(["a", "b", "c,", "中文", "字", "12", "A"]), max_size=7)
_text = _words.map(" ".join)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(_text, min_size=1, max_size=6), min_size=1, max_size=3), st.integers(1, 4))
def test_as_the_slow_way(problems: list[list[str]], most: int) -> None:
    rows, expected = [], []
    for prompt, texts in enumerate(problems):
        expected += [len(rows) + n for n in _slowly(texts, most)]
        rows += [{"prompt": prompt, "text": text} for text in texts]
    schema = {"prompt": pl.UInt64, "text": pl.String}
    frame = pl.DataFrame(rows, schema=schema).with_row_index("row")
    assert sorted(farthest_first(frame, most)) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["one two three four", "one two three five", "quite another way"], [0, 2]),
        (["先算乘法再算加法", "先算乘法再算减法", "设苹果的个数为未知数"], [0, 2]),
        (["x", None, "x"], [0, 1]),
    ],
)
def test_the_one_that_is_least_alike(texts: list[str | None], expected: list[int]) -> None:
    frame = pl.DataFrame({"prompt": [0] * len(texts), "text": texts}).with_row_index("row")
    assert sorted(farthest_first(frame.cast({"prompt": pl.UInt64}), 2)) == expected
