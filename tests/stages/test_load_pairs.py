"""Files of preference pairs through `load`: what dpo trains on, what export writes, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workbench import Workbench, aside

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.pairs import PAIR_SCHEMA, refuse_pairs, require_pairs
from potstill.pipeline.shards import read_table, shard_files
from potstill.stages.export import Export
from potstill.stages.load import Load
from potstill.stages.reading import packed

ROWS = [
    {"prompt": "2+2", "chosen": "4", "rejected": "5", "score": 0.5},
    {"prompt": "2+2", "chosen": "4", "rejected": "22"},  # the better one once more
    {"prompt": "2+3", "chosen": "5"},
    {"prompt": "2+4", "chosen": "6", "rejected": "7"},
]


def load(bench: Workbench, rows: list[dict[str, Any]]) -> Artifact:
    path = bench.root / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return bench.run("pairs", Load(source="./rows.jsonl"), paths={"./rows.jsonl": path})


def told(artifact: Artifact) -> list[tuple[int, str, str, str]]:
    rows = read_table(shard_files(artifact.path)).to_pylist()
    return [
        (row["pair"], row["side"], row["prompt"][-1]["content"], row["completion"]) for row in rows
    ]


def test_rows_are_pairs_and_no_half_is_left(bench: Workbench) -> None:
    made = load(bench, ROWS)
    assert told(made) == [
        (0, "chosen", "2+2", "4"),
        (0, "rejected", "2+2", "5"),
        (1, "chosen", "2+2", "4"),
        (1, "rejected", "2+2", "22"),
        (2, "chosen", "2+4", "6"),
        (2, "rejected", "2+4", "7"),
    ]
    assert read_table(shard_files(made.path)).schema.equals(PAIR_SCHEMA)
    metrics = made.metrics
    assert (metrics["pairs"], metrics["rows"], metrics["read"], metrics["expanded"]) == (3, 6, 4, 3)
    assert metrics["shape"] == "preference"
    assert [row["reason"] for row in aside(made, "quarantine")] == ["missing:rejected"]
    ids = [sample.id for sample in made.samples()]
    assert len(set(ids)) == len(ids)  # equal samples are told apart by their occurrence


def test_how_the_file_is_cut_into_blocks_does_not_show(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = told(load(bench, ROWS * 20))
    assert len(whole) == 2 * 3 * 20
    read = packed.Unpacked.read
    monkeypatch.setattr(packed.Unpacked, "read", lambda self, size=90: read(self, size))
    assert told(load(bench, ROWS * 20)) == whole


def test_dpo_takes_them_and_sft_does_not(bench: Workbench) -> None:
    made = load(bench, ROWS)
    require_pairs(made, "dpo.data")
    with pytest.raises(RequestError, match=r"sft\.data: step 'pairs' holds preference pairs"):
        refuse_pairs(made, "sft.data")


def test_an_export_of_pairs_comes_back(bench: Workbench) -> None:
    made = load(bench, ROWS)
    out = bench.run("out", Export(samples="pairs"), inputs={"pairs": made})
    stage = Load(source="./data")
    back = bench.run("back", stage, paths={"./data": out.path / "data"})
    assert told(back) == told(made)
