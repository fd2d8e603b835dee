"""Figures of columns: the parts of a completion, common values, rows taken evenly when many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Message, new_sample, with_ids
from potstill.pipeline.shards import shard_files, write_rows, write_samples
from potstill.views import profile as module
from potstill.views.profile import profile
from potstill.views.rows import Rows, lazy_rows, parquet_rows

MADE = Generation("teacher", "1", "key", 0, 1, "length", 9, 30)


@pytest.fixture
def samples(tmp_path: Path) -> Rows:
    ask = (Message("system", "Be brief."), Message("user", "深度?"))
    texts = ["<think>four</think>ab", "no tags", "<think>open", None]
    made = [new_sample(ask, completion=text, source="s", task="math") for text in texts]
    made.append(new_sample(ask, completion="x", answer="42", language="zh", generation=MADE))
    write_samples(tmp_path, with_ids(made))
    return parquet_rows(shard_files(tmp_path))


def test_lengths_of_samples(samples: Rows) -> None:
    lengths = profile(samples)["lengths"]
    assert list(lengths) == [
        "prompt", "thought", "answer", "completion", "completion_tokens", "key",
    ]  # fmt: skip
    told = {n: (f["known"], f["unknown"], f["least"], f["most"]) for n, f in lengths.items()}
    assert told == {
        "prompt": (5, 0, 12, 12),
        "thought": (2, 3, 4, 4),
        "answer": (3, 2, 1, 7),
        "completion": (4, 1, 1, 21),
        "completion_tokens": (1, 4, 30, 30),
        "key": (1, 4, 2, 2),
    }


def test_counts_of_samples(samples: Rows) -> None:
    counts = profile(samples)["counts"]
    assert {name: found["values"] for name, found in counts.items()} == {
        "task": {"math": 4, "general": 1},
        "language": {"unknown": 4, "zh": 1},
        "source": {"s": 4, "": 1},
        "finish_reason": {"unknown": 4, "length": 1},
    }


def test_only_the_columns_named(samples: Rows) -> None:
    found = profile(samples, ["answer", "generation"])
    assert list(found["lengths"]) == ["completion_tokens", "key"]
    assert list(found["counts"]) == ["finish_reason"]


def test_any_table() -> None:
    table: dict[str, Any] = {
        "n": [1, 2, None, 4],
        "text": ["a", "bb", "bb", None],
        "on": [True, True, False, None],
        "items": [[1], [], [1, 2], None],
    }
    found = profile(lazy_rows(pl.LazyFrame(table)))
    assert found["numbers"]["n"]["mean"] == pytest.approx(7 / 3)
    assert found["numbers"]["n"]["unknown"] == 1
    assert found["distinct"] == {"text": 2}
    assert (found["lengths"]["items"]["unit"], found["lengths"]["items"]["most"]) == ("items", 2)
    assert found["counts"]["on"]["values"] == {"true": 2, "false": 1, "unknown": 1}


def test_rare_values_are_counted_together(tmp_path: Path) -> None:
    asked = [
        new_sample((Message("user", str(n)),), source=f"s{n % 15}", task="a" if n else "b")
        for n in range(40)
    ]
    write_samples(tmp_path, with_ids(asked))
    found = profile(parquet_rows(shard_files(tmp_path)))["counts"]["source"]
    assert list(found["values"].items())[:2] == [("s0", 3), ("s1", 3)]
    assert (len(found["values"]), found["more"], found["rows"]) == (12, 3, 40)


@pytest.mark.parametrize("shards", [1, 40])
def test_many_rows_are_sampled_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    monkeypatch.setattr(module, "SAMPLED_ROWS", 50)
    asked = [
        new_sample((Message("user", "x" * number),), source=str(number // 500))
        for number in range(1000)
    ]
    made = [sample.to_row() for sample in with_ids(asked)]
    write_rows(tmp_path, made, SAMPLE_SCHEMA, 1000 // shards)
    rows = parquet_rows(shard_files(tmp_path))
    found = profile(rows)
    assert found["sampled"] == 50
    assert found["counts"]["source"]["values"] == {"0": 500, "1": 500}  # of all of them
    assert 400 < found["lengths"]["prompt"]["mean"] < 600
    assert found["lengths"]["prompt"]["most"] > 970
    assert profile(rows) == found
