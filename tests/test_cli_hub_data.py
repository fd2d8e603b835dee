"""A dataset on the hub as a user loads it, with the real client, against a stand-in of the hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import Fault, Repo, StandIn, hub_stand_in

pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.slow

RECIPE = """
potstill: 1
name: far
steps:
  rows: {load: {source: "hub:ann/sums", split: train}}
"""


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with hub_stand_in() as state:
        repo = state.repos["datasets/ann/sums"] = Repo(private=False)
        files = {
            f"data/train-{part:05d}-of-00003.jsonl": json.dumps(
                {"question": f"{part} + 1?", "answer": f"so it is\n#### {part + 1}"}
            ).encode()
            for part in range(3)
        }
        files["data/test-00000-of-00001.jsonl"] = b'{"question": "5?", "answer": "#### 5"}'
        files["README.md"] = b"---\nlicense: mit\n---\n"
        repo.add("rows", files)
        yield state


def called(hub: StandIn, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
    }
    (folder / "far.yaml").write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "potstill.cli", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def data_files(hub: StandIn) -> set[str]:
    """Those whose content was asked for."""
    return {each.rpartition("/")[2] for each in hub.requests if each.startswith("GET /datasets/")}


def test_a_split_is_loaded_and_only_as_much_as_is_read(hub: StandIn, tmp_path: Path) -> None:
    shown = called(
        hub, tmp_path, "load", "hub:ann/sums", "--show", "--set", "split=train", "--set", "rows=1"
    )
    assert shown.returncode == 0, shown.stderr
    assert "gsm8k" in shown.stdout
    few = called(hub, tmp_path, "run", "far.yaml", "--set", "steps.rows.load.rows=1")
    assert few.returncode == 0, few.stderr
    assert data_files(hub) == {"README.md", "train-00000-of-00003.jsonl"}
    done = called(hub, tmp_path, "run", "far.yaml")
    assert done.returncode == 0, done.stderr
    assert not any("test-" in name for name in data_files(hub))
    newest = max((tmp_path / "work/far").glob("rows-*"), key=lambda path: path.stat().st_mtime)
    metrics = json.loads((newest / "manifest.json").read_text())["metrics"]
    (commit, _, _) = hub.repos["datasets/ann/sums"].commits[0]
    assert (metrics["rows"], metrics["license"]) == (3, "mit")
    assert metrics["origin"] == {"kind": "hub", "name": "ann/sums", "revision": commit}


def test_a_file_that_does_not_come_ends_the_step_and_the_next_run_goes_on(
    hub: StandIn, tmp_path: Path
) -> None:
    hub.faults = [Fault("GET /datasets/.*train-00002", 404)]
    failed = called(hub, tmp_path, "run", "far.yaml")
    assert failed.returncode == 1, failed.stdout
    assert "train-00002-of-00003.jsonl could not be fetched" in failed.stderr + failed.stdout
    assert "Traceback" not in failed.stderr + failed.stdout
    hub.faults, hub.requests = [], []
    assert called(hub, tmp_path, "run", "far.yaml").returncode == 0
    assert data_files(hub) == {"train-00002-of-00003.jsonl"}, "what came before was kept"


def test_a_dataset_that_is_not_there_is_a_wrong_request(hub: StandIn, tmp_path: Path) -> None:
    missing = called(hub, tmp_path, "load", "hub:ann/none", "--show")
    assert missing.returncode == 2
    assert "hub:ann/none: the hub did not resolve it" in missing.stderr
