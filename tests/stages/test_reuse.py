"""The reuse step: a finished dataset as it is, with all its columns, stored once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from workbench import Workbench, problem

from potstill.pipeline.artifact import write_manifest
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.shards import shard_files
from potstill.stages import reuse as reuse_module
from potstill.stages.mix import MIXTURE_SCHEMA, Mix
from potstill.stages.reuse import Reuse


def mixture(bench: Workbench) -> Path:
    made = bench.samples("a", [problem(f"question {n}", str(n)) for n in range(5)])
    return bench.run("mixture", Mix(parts={"a": 1}, repeat=2), inputs={"a": made}).path


def test_nothing_is_lost_and_nothing_stored_twice(bench: Workbench) -> None:
    source = mixture(bench)
    reused = bench.run("data", Reuse(source="./mixture"), paths={"./mixture": source})
    assert reused.table().schema.equals(MIXTURE_SCHEMA)
    assert reused.metrics == {"rows": 5, "columns": MIXTURE_SCHEMA.names}
    for ours, theirs in zip(shard_files(reused.path), shard_files(source), strict=True):
        assert ours.read_bytes() == theirs.read_bytes()
        assert os.path.samefile(ours, theirs)


def test_another_file_system_gets_a_copy(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(reuse_module.os, "link", refuse)
    source = mixture(bench)
    reused = bench.run("data", Reuse(source="./mixture"), paths={"./mixture": source})
    (ours,), (theirs,) = shard_files(reused.path), shard_files(source)
    assert ours.read_bytes() == theirs.read_bytes()
    assert not os.path.samefile(ours, theirs)


def test_what_is_no_finished_dataset_is_refused(bench: Workbench, tmp_path: Path) -> None:
    source = mixture(bench)
    with pytest.raises(RequestError, match=r"no finished step: it has no manifest\.json"):
        bench.run("data", Reuse(source="./a"), paths={"./a": tmp_path})
    for shard in shard_files(source):
        shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(StepFailed, match="does not have the sha256"):
        bench.run("data", Reuse(source="./a"), paths={"./a": source})


def test_a_model_holds_no_samples(bench: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    body = {"step": "r/model", "identity": {"kind": "sft"}, "address": "0", "inputs": {}}
    write_manifest(folder, {**body, "rows": None, "metrics": {}}, {})
    with pytest.raises(RequestError, match=r"\(sft\) holds no samples"):
        bench.run("data", Reuse(source="./a"), paths={"./a": folder})
