"""What was added is found, as a dictionary would find it."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.sorted_runs import KEY, SortedRuns

keys = st.integers(0, 12) | st.sampled_from([2**63, 2**64 - 1])
tables = st.lists(st.lists(keys, max_size=9), max_size=12)


def frame(values: list[int], first: int) -> pl.DataFrame:
    places = range(first, first + len(values))
    return pl.DataFrame(
        {"place": places, KEY: values, "count": [1] * len(values)},
        {"place": pl.Int64, KEY: pl.UInt64, "count": pl.UInt32},
    )


@settings(deadline=None, max_examples=60)
@given(tables)
def test_counts_and_firsts_are_those_of_a_dictionary(added: list[list[int]]) -> None:
    runs = SortedRuns({"count": pl.col("count").sum(), "place": pl.col("place").first()})
    counts: dict[int, int] = {}
    firsts: dict[int, int] = {}
    done = 0
    for values in added:
        found = runs.find(pl.Series(values, dtype=pl.UInt64))
        assert found.columns == ["count", "place"]
        assert found.rows() == [(counts.get(key), firsts.get(key)) for key in values]
        runs.add(frame(values, done))
        for place, key in enumerate(values, done):
            counts[key] = counts.get(key, 0) + 1
            firsts.setdefault(key, place)
        done += len(values)


def test_there_are_few_runs() -> None:
    runs = SortedRuns({"count": pl.col("count").sum(), "place": pl.col("place").first()})
    for start in range(0, 3000, 3):
        runs.add(frame(list(range(start, start + 3)), start))
    assert len(runs._runs) < 12
