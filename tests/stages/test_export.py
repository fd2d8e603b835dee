"""The export step, opened by the library it is meant for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Generation, Message, new_sample
from potstill.pipeline.shards import shard_files
from potstill.stages import export as export_module
from potstill.stages.export import Export
from potstill.stages.load import Load

THOUGHT = "<think>\n1 + 1\u2028= 2\n</think>\n2"
MADE = Generation("t", "r", "key", 1, None, "stop", 3, 4)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


@pytest.fixture
def chosen(bench: Workbench) -> Artifact:
    asked = (Message("system", "Be exact."), Message("user", "1+1"))
    return bench.samples(
        "chosen",
        [
            new_sample(asked, completion=THOUGHT, answer="2", language="en", source="sums"),
            problem("二加二", "4", answer="4", task="math", language="zh", generation=MADE),
            problem("hello", "hi | <b>", source="a|b`<script>\n"),
        ],
    )


def export(bench: Workbench, chosen: Artifact, **fields: Any) -> Artifact:
    return bench.run("out", Export(samples="chosen", **fields), inputs={"chosen": chosen})


def opened(artifact: Artifact, tmp_path: Path) -> Any:
    import datasets

    return datasets.load_dataset(str(artifact.path), cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_messages(bench: Workbench, chosen: Artifact, tmp_path: Path, format_: str) -> None:
    dataset = opened(export(bench, chosen, format=format_), tmp_path)
    assert list(dataset) == ["train"]
    rows = dataset["train"].to_list()
    assert rows[0]["messages"] == [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": "1+1"},
        {"role": "assistant", "content": THOUGHT},
    ]
    assert [row["answer"] for row in rows] == ["2", "4", None]
    assert [row["id"] for row in rows] == [sample.id for sample in chosen.samples()]


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_prompt_and_completion(
    bench: Workbench, chosen: Artifact, tmp_path: Path, format_: str
) -> None:
    artifact = export(bench, chosen, columns="prompt_completion", format=format_)
    row = opened(artifact, tmp_path)["train"][1]
    assert row["prompt"] == [{"role": "user", "content": "二加二"}]
    assert row["completion"] == [{"role": "assistant", "content": "4"}]


@pytest.mark.parametrize("columns", ["messages", "prompt_completion", "samples"])
@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_what_is_exported_loads_again(
    bench: Workbench, chosen: Artifact, columns: str, format_: str
) -> None:
    out = export(bench, chosen, columns=columns, format=format_)
    stage = Load(source="./out")
    again = bench.run("again", stage, paths={"./out": out.path})
    for before, after in zip(chosen.samples(), again.samples(), strict=True):
        for field in ("prompt", "completion", "answer", "task", "language"):
            assert getattr(after, field) == getattr(before, field)
        if columns == "samples":
            assert after.id == before.id
            assert after.generation == before.generation


def test_an_export_is_not_taken_for_samples(bench: Workbench, chosen: Artifact) -> None:
    artifact = export(bench, chosen)
    assert shard_files(artifact.path) == []
    assert artifact.rows is None
    assert artifact.metrics["rows"] == 3


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_shards_are_numbered(
    bench: Workbench,
    chosen: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_: str,
) -> None:
    monkeypatch.setattr(export_module, "ROWS_PER_SHARD", 2)
    artifact = export(bench, chosen, format=format_)
    assert sorted(file.name for file in (artifact.path / "data").iterdir()) == [
        f"train-00000-of-00002.{format_}",
        f"train-00001-of-00002.{format_}",
    ]
    assert artifact.metrics["files"] == 2
    assert len(opened(artifact, tmp_path)["train"]) == 3


def test_the_card_tells_the_facts_and_nothing_else(bench: Workbench, chosen: Artifact) -> None:
    card = (export(bench, chosen).path / "README.md").read_text(encoding="utf-8")
    assert "# chosen\n\n3 rows" in card
    assert "| `sums` | 1 | 33.3% |" in card
    assert chosen.digest in card
    assert "<script>" not in card
    assert "a|b" not in card
    assert str(bench.root) not in card


def test_a_problem_without_a_completion(bench: Workbench, tmp_path: Path) -> None:
    problems = bench.samples("chosen", [problem("1+1", answer="2")])
    dataset = opened(export(bench, problems), tmp_path)
    assert dataset["train"][0]["messages"] == [{"role": "user", "content": "1+1"}]
    with pytest.raises(RequestError, match="has no completion; columns: prompt_completion needs"):
        export(bench, problems, columns="prompt_completion")


def test_jsonl_is_one_object_per_line(bench: Workbench, chosen: Artifact) -> None:
    artifact = export(bench, chosen, format="jsonl", columns="samples")
    data = (artifact.path / "data/train-00000-of-00001.jsonl").read_bytes()
    assert [json.loads(line)["id"] for line in data.splitlines()] == [
        sample.id for sample in chosen.samples()
    ]
