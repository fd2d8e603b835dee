"""`load` of hub data: a pinned commit, and no file that is not read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workbench import Workbench

from potstill.pipeline import external, hub_files
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.external import resolve_external
from potstill.pipeline.references import walk
from potstill.pipeline.statcache import DigestCache
from potstill.stages.load import Load


class Hub:
    """The hub client's boundary: three calls, answered from a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []
        self.missing = ""

    def HfApi(self) -> Hub:
        return self

    def repo_info(self, name: str, **asked: Any) -> Any:
        assert name == "owner/name"
        assert (asked["repo_type"], asked["revision"]) in {("dataset", "v1"), ("dataset", "c0ffee")}
        files = sorted(file for file in self.folder.rglob("*") if file.is_file())
        names = [str(file.relative_to(self.folder)) for file in files]
        told = [
            SimpleNamespace(rfilename=each, size=40 if "test" in each else None) for each in names
        ]
        return SimpleNamespace(sha="c0ffee", siblings=told)

    def hf_hub_download(self, name: str, file: str, **asked: Any) -> str:
        assert (name, asked) == ("owner/name", {"revision": "c0ffee", "repo_type": "dataset"})
        if file == self.missing:
            raise ConnectionError("the cable is out")
        self.fetched.append(file)
        return str(self.folder / file)


@pytest.fixture
def hub(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Hub:
    folder = bench.root / "repository"
    for name in ("data/train-[1].jsonl", "data/train-2.jsonl", "data/test-1.jsonl", "picture.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"prompt": name}))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Rows\n")
    hub = Hub(folder)
    for module in (external, hub_files):
        monkeypatch.setattr(module, "hub_client", lambda: hub)
    return hub


def of_hub(bench: Workbench, **config: Any) -> dict[str, Any]:
    stage = Load(source="hub:owner/name@v1", **config)
    (mark,) = (found.mark for found in walk(stage))
    found = resolve_external(stage.source, mark, bench.root, DigestCache(None))
    assert found.is_streamed
    context = bench.context("problems")
    return dict(stage.run(replace(context, digests={stage.source: found.digest})))


def test_hub_data_fetches_the_files_of_the_split_alone(bench: Workbench, hub: Hub) -> None:
    metrics = of_hub(bench, split="train")
    assert sorted(set(hub.fetched)) == ["README.md", "data/train-2.jsonl", "data/train-[1].jsonl"]
    assert metrics["rows"] == 2
    assert metrics["origin"] == {"kind": "hub", "name": "owner/name", "revision": "c0ffee"}
    assert metrics["license"] == "mit"
    with pytest.raises(RequestError, match=r"hub:owner/name@v1: several splits, choose one by"):
        of_hub(bench)


def test_no_file_is_fetched_behind_the_last_that_is_read(bench: Workbench, hub: Hub) -> None:
    hub.missing = "data/train-[1].jsonl"
    assert of_hub(bench, split="train", rows=1)["rows"] == 1
    assert [name for name in hub.fetched if name != "README.md"] == ["data/train-2.jsonl"]
    with pytest.raises(
        StepFailed, match=r"@v1 \(commit c0ffee\): data/train-\[1\].*the cable is out"
    ):
        of_hub(bench, split="train")
