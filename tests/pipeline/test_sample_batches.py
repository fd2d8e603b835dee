"""Samples by column are the samples by row."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Message, Sample
from potstill.pipeline.sample_batches import samples_of

TEXT = st.text(max_size=8)
GENERATIONS = st.builds(
    Generation,
    teacher=TEXT,
    revision=TEXT,
    key=TEXT,
    index=st.integers(0, 9),
    seed=st.none() | st.integers(0, 9),
    finish_reason=st.sampled_from(["stop", "length"]),
    prompt_tokens=st.none() | st.integers(0, 9),
    completion_tokens=st.none() | st.integers(0, 9),
    prefilled_think=st.booleans(),
)
SAMPLES = st.builds(
    Sample,
    id=TEXT,
    prompt_id=TEXT,
    prompt=st.lists(st.builds(Message, TEXT, TEXT), max_size=3).map(tuple),
    completion=st.none() | TEXT,
    answer=st.none() | TEXT,
    task=TEXT,
    language=st.none() | TEXT,
    source=TEXT,
    generation=st.none() | GENERATIONS,
    extra=st.just("{}"),
)


@given(st.lists(SAMPLES, max_size=6), st.integers(0, 3))
def test_by_column_is_by_row(samples: list[Sample], start: int) -> None:
    table = pa.Table.from_pylist([each.to_row() for each in samples], schema=SAMPLE_SCHEMA)
    table = table.append_column("copy", pa.array([0] * len(samples), pa.int64()))
    batches = table.slice(start).to_batches()
    assert [each for batch in batches for each in samples_of(batch)] == samples[start:]
