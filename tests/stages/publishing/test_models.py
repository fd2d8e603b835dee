"""Publishing a trained model: which files go, what its card is completed with, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.stages.publishing.contents import Contents, contents_of

CARD = """---
base_model: owner/base
tags:
- potstill
---

# `run/qwen`

It was trained.
"""
FILES = {
    "model.safetensors": "weights",
    "config.json": "{}",
    "tokenizer.json": "{}",
    "chat_template.jinja": "{{ messages }}",
    "README.md": CARD,
    "log/steps.jsonl": "{}",
    "left_out/part-00000.parquet": "x",
    "checkpoints/optimizer.pt": "x",
}


def artifact(
    root: Path,
    step: str,
    kind: str,
    files: dict[str, str],
    config: dict[str, Any],
    inputs: dict[str, str],
    metrics: dict[str, Any],
) -> Artifact:
    folder = root / f"{step}-00000000"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    folder.mkdir(exist_ok=True)
    identity = {"kind": kind, "config": config, "inputs": inputs, "filters": {}}
    body = {
        "step": step, "identity": identity, "address": "00000000", "rows": None,
        "metrics": metrics, "inputs": {}, "versions": {},
    }  # fmt: skip
    write_manifest(folder, body, {})
    found = open_artifact(folder)
    assert found is not None
    return found


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory with data, a model trained on it, and evaluations of it and its base."""
    bench = Workbench(tmp_path / "run")
    bench.samples("data", [problem("1+1", "2")])
    trained = {"data": "data", "model": "content:base"}
    artifact(bench.root, "qwen", "sft", FILES, trained, {"data": "00000000"}, {})
    asked = {"problems": "heldout", "samples": 4}
    scores = {"pass@1": 0.25, "pass@1_se": 0.01, "n_problems": 200, "rate/format": 0.9}
    after = {"model": "qwen", **asked}
    artifact(bench.root, "after", "evaluate", {}, after, {"qwen": "00000000"}, scores)
    before = {"model": "content:base", **asked}
    unknown = {**scores, "pass@1": 0.05, "rate/format": None}
    artifact(bench.root, "before", "evaluate", {}, before, {}, unknown)
    other = {"model": "llama", **asked}
    artifact(bench.root, "other", "evaluate", {}, other, {"llama": "00000000"}, scores)
    return bench.root


def published(run: Path) -> Contents:
    return contents_of(run / "qwen-00000000")


def test_what_serving_takes_goes_and_nothing_else(run: Path) -> None:
    found = published(run)
    assert found.repo_type == "model"
    assert sorted(found.files) == [
        "README.md",
        "chat_template.jinja",
        "config.json",
        "manifest.json",
        "model.safetensors",
        "provenance/data-00000000.json",
        "tokenizer.json",
    ]


def test_the_manifest_is_of_exactly_these_files(run: Path, tmp_path: Path) -> None:
    found = published(run)
    for name, source in found.files.items():
        target = tmp_path / "down" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    assert open_artifact(tmp_path / "down") is not None
    manifest = json.loads((tmp_path / "down" / "manifest.json").read_text(encoding="utf-8"))
    assert sorted([*manifest["files"], "manifest.json"]) == sorted(found.files)


def test_the_card_has_the_evaluations_of_the_run(run: Path) -> None:
    card = published(run).card
    assert "It was trained." in card
    assert "| `after` | this model | `heldout` | 0.25 | 0.01 | 200 | 0.9 |" in card
    assert "| `before` | its base | `heldout` | 0.05 | 0.01 | 200 | unknown |" in card
    assert "`other`" not in card
    assert "| `data` | `made_by_hand` | 1 |" in card
    head = YAML(typ="safe", pure=True).load(card.split("---\n")[1])
    assert head == {"license": "unknown", "base_model": "owner/base", "tags": ["potstill"]}


def test_another_training_of_the_same_step_is_not_this_model(run: Path) -> None:
    manifest = run / "after-00000000" / "manifest.json"
    text = manifest.read_text(encoding="utf-8").replace('"qwen": "00000000"', '"qwen": "11111111"')
    manifest.write_text(text, encoding="utf-8")
    assert "this model" not in published(run).card


@pytest.mark.parametrize("text", ["", "{", "[]", '{"identity": {"kind": "evaluate"}}'])
def test_an_evaluation_that_cannot_be_read_is_told(run: Path, text: str) -> None:
    (run / "after-00000000" / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(StepFailed, match=r"after-00000000.manifest\.json cannot be read"):
        published(run)


@pytest.mark.parametrize("with_weights", [True, False])
def test_pickles_are_refused(tmp_path: Path, with_weights: bool) -> None:
    files = {"pytorch_model.bin": "x", "README.md": CARD, "config.json": "{}"}
    files |= {"model.safetensors": "x"} if with_weights else {}
    artifact(tmp_path, "qwen", "sft", files, {}, {}, {})
    with pytest.raises(RequestError, match=r"pytorch_model\.bin, a pickle"):
        contents_of(tmp_path / "qwen-00000000")


@pytest.mark.parametrize("head", ["---\n- a\n---\n", "---\na: [\n---\n"])
def test_a_front_matter_that_cannot_be_read_is_an_error(tmp_path: Path, head: str) -> None:
    files = {"model.safetensors": "x", "README.md": head + "text"}
    artifact(tmp_path, "qwen", "sft", files, {}, {}, {})
    with pytest.raises(RequestError, match=r"README\.md of step 'qwen'"):
        contents_of(tmp_path / "qwen-00000000")


def test_an_evaluation_is_neither_export_nor_model(run: Path) -> None:
    with pytest.raises(RequestError, match="is neither an export nor a model; publish an export"):
        contents_of(run / "after-00000000")
