"""Models as commands name them, and values as they are assigned there."""

from __future__ import annotations

from pathlib import Path

import pytest

from potstill.pipeline.artifact import write_manifest
from potstill.pipeline.assignments import assigned
from potstill.pipeline.errors import RequestError
from potstill.pipeline.locate_model import find_model


def test_paths_and_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "work" / "r" / "model-00000000"
    folder.mkdir(parents=True)
    body = {"step": "model", "identity": {"kind": "sft"}, "address": "0", "inputs": {}}
    write_manifest(folder, {**body, "rows": None, "metrics": {}}, {})
    (tmp_path / "student").mkdir()
    assert find_model(tmp_path / "work", "r/model") == folder
    assert find_model(tmp_path / "work", "student") == tmp_path / "student"
    assert find_model(tmp_path / "work", "./student") == tmp_path / "student"


def test_what_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="neither a path nor a finished step"):
        find_model(tmp_path, "student")
    with pytest.raises(RequestError, match="is a file; expected a model's folder"):
        find_model(tmp_path, "file")


def test_assigned_values() -> None:
    assert assigned(None) == {}
    assert assigned(["a=1", "b=no", "c=true", "d=x: y"]) == {
        "a": 1, "b": "no", "c": True, "d": {"x": "y"},
    }  # fmt: skip
    with pytest.raises(RequestError, match="--set"):
        assigned(["nothing"])
