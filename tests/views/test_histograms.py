"""Histograms: every number in its bin, the unknown apart, edges that a person would choose."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.views.histograms import histogram, score_figures
from potstill.views.show_histograms import heights

NUMBERS = st.one_of(
    st.none(),
    st.integers(-(10**6), 10**9),
    st.floats(-1e12, 1e12, allow_subnormal=False),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)


@given(st.lists(NUMBERS, max_size=60))
def test_counts_close(numbers: list[float | None]) -> None:
    values = [None if number is None else float(number) for number in numbers]
    found = histogram(pl.Series(values, dtype=pl.Float64))
    known = [value for value in values if value is not None and math.isfinite(value)]
    assert (found["known"], found["unknown"]) == (len(known), len(values) - len(known))
    assert sum(entry["rows"] for entry in found["bins"]) == len(known)
    for entry in found["bins"]:
        end = math.inf if entry["to"] is None else entry["to"]
        assert entry["rows"] == sum(entry["from"] <= value < end for value in known)
    if known:
        assert (found["least"], found["most"]) == (min(known), max(known))
        assert found["bins"][0]["rows"]
        assert found["bins"][-1]["rows"]


@pytest.mark.parametrize(
    ("numbers", "edges"),
    [
        (range(100), [*range(0, 100, 5)]),
        ([7, 7, 7], [7]),
        ([1, 2, 2, 3], [1, 2, 3]),
        ([10] * 9 + [1000], [8, 16, 32, 64, 128, 256, 512]),
        ([-50, 50], [*range(-50, 51, 5)]),
    ],
)
def test_edges(numbers: list[float], edges: list[float]) -> None:
    bins = histogram(pl.Series(list(numbers)))["bins"]
    assert [entry["from"] for entry in bins] == edges


def test_scores_of_exactly_one_have_a_bin() -> None:
    scores = [None, 0.0, 0.05, 0.7, 0.999, 1.0, 1.0]
    found = score_figures(pl.LazyFrame({"score": scores}))
    assert found["scores"] == [2, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2]
    assert found["unknown"] == 1
    assert found["mean_score"] == pytest.approx(sum(filter(None, scores)) / 6)
    nothing = score_figures(pl.LazyFrame({"score": [None]}, schema={"score": pl.Float64}))
    assert (nothing["mean_score"], nothing["unknown"]) == (None, 1)


def test_heights_show_what_is_there() -> None:
    assert heights([0, 1, 1000]) == " ▁█"
    assert heights([]) == ""
    assert heights([0, 0]) == "  "
