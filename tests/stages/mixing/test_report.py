"""What a mixture is told to be made of."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest
from workbench import problem

from potstill.pipeline.sample import SAMPLE_SCHEMA, Message, new_sample
from potstill.stages.mixing.report import Report, buckets, characters

ROWS = [
    problem("ab", "cd", source="x", language="en"),
    problem("中文", "答案 a", source="x", language=None, task="math"),
    new_sample((Message("system", "1"), Message("user", "23")), source=""),
]
SHARD = pa.Table.from_pylist([row.to_row() for row in ROWS], schema=SAMPLE_SCHEMA)
TOKENS = pl.DataFrame({"tokens": [10, 700, None], "loss_tokens": [4, 90, None]})


def test_tokens_that_nobody_counted_are_unknown() -> None:
    report = Report(counted=False)
    report.add(SHARD, pl.DataFrame())
    report.add(SHARD, pl.DataFrame())
    assert report.total() == {"samples": 6, "tokens": None, "loss_tokens": None}
    facts = report.facts()
    samples = {
        group: {value: counts["samples"] for value, counts in values.items()}
        for group, values in facts.items()
    }
    assert samples == {
        "source": {"unknown": 2, "x": 4},
        "task": {"general": 4, "math": 2},
        "language": {"en": 2, "unknown": 4},
        "length": {"2-3": 2, "4-7": 4},
    }
    assert facts["source"]["x"]["tokens"] is None


def test_tokens_are_summed_and_lengths_are_theirs() -> None:
    report = Report(counted=True)
    report.add(SHARD, TOKENS)
    assert report.total() == {"samples": 3, "tokens": 710, "loss_tokens": 94}
    facts = report.facts()
    assert facts["language"]["unknown"] == {"samples": 2, "tokens": 700, "loss_tokens": 90}
    assert {value: counts["samples"] for value, counts in facts["length"].items()} == {
        "8-15": 1,
        "512-1023": 1,
        "unknown": 1,
    }


def test_the_sources_of_every_row_do_not_flood_the_manifest() -> None:
    report = Report(counted=False)
    rows = [problem("q", source=f"{number:04d}").to_row() for number in range(250)]
    rows += [problem("q", source="most").to_row()] * 2
    report.add(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), pl.DataFrame())
    sources = report.facts()["source"]
    assert len(sources) == 101
    assert sources["most"]["samples"] == 2
    assert sources["151 others"]["samples"] == 151


BUCKETS = [(0, "1-1"), (1, "1-1"), (2, "2-3"), (3, "2-3"), (4, "4-7"), (1023, "512-1023"),
           (1024, "1024-2047"), (2**29, f"{2**29}-{2**30 - 1}"), (None, None)]  # fmt: skip


@pytest.mark.parametrize(("length", "bucket"), BUCKETS)
def test_buckets_are_powers_of_two(length: int | None, bucket: str | None) -> None:
    assert buckets(pl.Series([length], dtype=pl.Int64)).to_list() == [bucket]


def test_characters_are_code_points_of_all_turns() -> None:
    assert characters(SHARD).to_list() == [4, 6, 3]
    assert characters(SHARD.slice(0, 0)).to_list() == []
