"""Folders that are no model to train: one error each that says what lies there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from potstill.pipeline.errors import RequestError
from potstill.train.students.student import open_student


def _without_weights(folder: Path, instead: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / instead).write_bytes(b"anything")


def _pickle(folder: Path) -> None:
    _without_weights(folder, "pytorch_model-00001-of-00002.bin")


def _checkpoint(folder: Path) -> None:
    _without_weights(folder, "model.ckpt")


def _gguf(folder: Path) -> None:
    _without_weights(folder, "model-Q4_K_M.gguf")


def _adapter(folder: Path) -> None:
    (folder / "config.json").unlink()
    config = {"base_model_name_or_path": "Qwen/Qwen2.5-1.5B", "peft_type": "LORA"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")


def _own_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "superlm", "auto_map": {"AutoConfig": "configuration_superlm.Super"}}
    (folder / "config.json").write_text(json.dumps(config))


def _unknown(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "superlm"}))


def _no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def _no_object(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def _no_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


BROKEN: list[tuple[Callable[[Path], None], str]] = [
    (
        _pickle,
        r"as a pickle \(pytorch_model-00001-of-00002\.bin\).*Expected \*\.safetensors.*convert",
    ),
    (_checkpoint, r"as a pickle \(model\.ckpt\)"),
    (_gguf, r"as GGUF \(model-Q4_K_M\.gguf\).*the repository it was made from"),
    (_adapter, r"a LoRA adapter \(of 'Qwen/Qwen2\.5-1\.5B'\).*lora: \{save: merged\}"),
    (_own_code, r"code of its own.*'superlm'.*never run"),
    (_unknown, "cannot be read as a model.*transformers itself knows"),
    (_no_json, r"config\.json is no JSON"),
    (_no_object, r"config\.json is no JSON object"),
    (_no_tokenizer, "no tokenizer that can be loaded"),
]


@pytest.mark.parametrize(
    ("damage", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", "")
)
def test_folders_that_hold_no_model(
    students: dict[str, Path], tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / "student"
    shutil.copytree(students["qwen"], folder)
    damage(folder)
    with pytest.raises(RequestError, match=f"(?s){message}"):
        open_student(folder, "./student")


def test_a_pickle_beside_safetensors_is_passed_over(
    students: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "student"
    shutil.copytree(students["qwen"], folder)
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert open_student(folder, "./student").name == "student"
