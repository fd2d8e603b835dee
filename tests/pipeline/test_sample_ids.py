"""Ids from columns are the ids of `with_ids`, however the rows are cut into tables."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from potstill.pipeline.sample import (
    SAMPLE_SCHEMA,
    Generation,
    Message,
    Sample,
    new_sample,
    with_ids,
)
from potstill.pipeline.sample_ids import SampleIds

EVERY_ESCAPE = "".join(map(chr, range(160))) + '\u2028\ufeff\ud7ff\U0001f600"\\}'
texts = st.sampled_from(["", "a", "b", '"}', EVERY_ESCAPE]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
prompts = st.lists(st.builds(Message, texts, texts), max_size=3).map(tuple)
generations = st.builds(
    lambda key, index: Generation("t", "r", key, index, None, "stop", None, None),
    texts,
    st.integers(0, 2),
)
samples = st.builds(
    lambda prompt, **fields: new_sample(prompt, **fields),
    prompts,
    completion=st.none() | texts,
    answer=st.none() | texts,
    generation=st.none() | generations,
    source=texts,
)


def columns(rows: list[Sample]) -> pl.DataFrame:
    table = pa.Table.from_pylist([row.to_row() for row in rows], schema=SAMPLE_SCHEMA)
    return pl.DataFrame(table).drop("id", "prompt_id")


@settings(deadline=None, max_examples=60)
@given(st.lists(samples, max_size=10), st.integers(1, 3), st.integers(1, 12))
@example([new_sample((), completion=None)], 3, 1)
def test_ids_are_those_of_rows(rows: list[Sample], times: int, size: int) -> None:
    rows = rows * times
    ids = SampleIds()
    frame = columns(rows)
    given = [ids.give(frame.slice(start, size)) for start in range(0, len(rows), size)]
    found = [pair for part in given for pair in part.select("id", "prompt_id").rows()]
    assert found == [(row.id, row.prompt_id) for row in with_ids(rows)]


def test_other_columns_and_the_order_of_columns_change_no_id() -> None:
    rows = [
        new_sample((Message("user", "q"),), completion="c", answer=str(n % 2)) for n in range(5)
    ]
    frame = columns(rows)
    more = frame.with_columns(line=pl.lit(1)).select("line", *reversed(frame.columns))
    given = SampleIds().give(more)
    assert given["id"].to_list() == SampleIds().give(frame)["id"].to_list()
    assert given["line"].to_list() == [1] * 5


def test_a_generation_that_was_not_bought_here_is_told_apart_by_its_completion() -> None:
    """Datasets of others tell how a completion ended (`finish_reason`), but no paid request."""
    ended = Generation("", "", "", 0, None, "stop", None, None)
    rows = [
        new_sample((Message("user", "q"),), completion=text, generation=ended)
        for text in ("a", "b")
    ]
    given = SampleIds().give(columns(rows))["id"].to_list()
    assert given == SampleIds().give(columns(rows[::-1]))["id"].to_list()[::-1]
    assert given == [row.id for row in with_ids(rows)]
