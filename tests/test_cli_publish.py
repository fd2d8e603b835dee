"""`potstill publish` as a user types it, against a stand-in of the hub, and back down again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hub_stand_in import TOKEN, StandIn, hub_stand_in
from workbench import Workbench, problem

from potstill.stages.export import Export

pytest.importorskip("huggingface_hub")
pytest.importorskip("datasets")
pytestmark = pytest.mark.slow

_LOAD = """
import datasets, sys
rows = datasets.load_dataset("ann/sums", revision=sys.argv[1])["train"]
print([row["messages"][-1]["content"] for row in rows])
"""
_FETCH = """
import huggingface_hub, sys
huggingface_hub.snapshot_download(
    "ann/sums", repo_type="dataset", revision=sys.argv[1], local_dir=sys.argv[2])
"""


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with hub_stand_in() as state:
        yield state


def called(hub: StandIn, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "POTSTILL_TOKEN": TOKEN,
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def test_from_the_command_line_to_the_hub_and_back(hub: StandIn, tmp_path: Path) -> None:
    bench = Workbench(tmp_path / "work" / "sums")
    chosen = bench.samples("chosen", [problem("1+1", "2"), problem("2+2", "4")])
    bench.run("out", Export(samples="chosen"), inputs={"chosen": chosen})
    publish = ("-m", "potstill.cli", "publish", "sums/out", "ann/sums")
    token = ("--token-env", "POTSTILL_TOKEN")

    dry = called(hub, tmp_path, *publish, *token)
    assert dry.returncode == 0, dry.stderr
    assert "Nothing was uploaded. Add --yes to do it." in dry.stdout
    assert hub.repos == {}

    done = called(hub, tmp_path, *publish, *token, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["uploaded"]
    for text in (done.stdout, done.stderr):
        assert TOKEN not in text

    loaded = called(hub, tmp_path, "-c", _LOAD, facts["revision"])
    assert loaded.stdout.strip() == "['2', '4']", loaded.stderr

    fetched = called(hub, tmp_path, "-c", _FETCH, facts["revision"], str(tmp_path / "down"))
    assert fetched.returncode == 0, fetched.stderr
    whole = called(hub, tmp_path, "-m", "potstill.cli", "verify", str(tmp_path / "down"))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    (tmp_path / "down" / "README.md").write_text("changed by hand", encoding="utf-8")
    changed = called(hub, tmp_path, "-m", "potstill.cli", "verify", str(tmp_path / "down"))
    assert changed.returncode == 1


def test_what_is_found_stops_it(hub: StandIn, tmp_path: Path) -> None:
    bench = Workbench(tmp_path / "work" / "sums")
    chosen = bench.samples("chosen", [problem("1+1", "ask jane@" + "gmail.com")])
    bench.run("out", Export(samples="chosen"), inputs={"chosen": chosen})
    refused = called(hub, tmp_path, "-m", "potstill.cli", "publish", "sums/out", "ann/sums")
    assert refused.returncode == 1, refused.stderr
    assert "email  1  stops the upload" in refused.stdout
    assert "with --allow email" in refused.stdout
    assert "jane@" not in refused.stdout
