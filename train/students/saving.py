"""A model folder in, a model folder out: what is loaded is whole, what is saved can be served.

Loads safetensors only and refuses weights that would be silently started at random. Saves weights,
config, the student's own tokenizer files byte by byte, and a generation config whose end of
sequence is the token that the chat template ends a turn with: a server stops where the student
was trained to stop. LoRA adapters are merged into full weights, which is what vLLM loads best, and
kept under `adapter/` too.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ...pipeline.shards import write_text
from .loading import load_weights
from .student import Student

_CARRIED: Final = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template*",
    "LICENSE*",
    "NOTICE*",
)
"""Files of a model that training does not change: its tokenizer, template and licence."""


def save_student(student: Student, checkpoint: Path, out: Path, dtype: str) -> None:
    """Write a folder that transformers and vLLM load: a student with the weights of a checkpoint.

    Args:
        checkpoint: full weights, or a LoRA adapter, which is merged and kept under `adapter/` too.
        dtype: of the saved weights.
    """
    import torch

    model = _trained(student, checkpoint, out, dtype)
    model.config.use_cache = True  # the trainer had switched it off for itself
    model.to(getattr(torch, dtype)).save_pretrained(out)
    for pattern in _CARRIED:
        for file in sorted(student.folder.glob(pattern)):
            if file.is_file():
                shutil.copyfile(file, out / file.name)
    config = _generation_config(student.folder, student.end_of_turn)
    text = json.dumps(config, indent=2, ensure_ascii=False)
    write_text(out / "generation_config.json", text + "\n")


def _trained(student: Student, checkpoint: Path, out: Path, dtype: str) -> Any:
    if not (checkpoint / "adapter_config.json").exists():
        return load_weights(replace(student, folder=checkpoint), "float32")
    from peft import PeftModel

    model = PeftModel.from_pretrained(load_weights(student, dtype), checkpoint)
    _save_adapter(model, out / "adapter", student.name)
    return model.merge_and_unload()


def _save_adapter(model: Any, folder: Path, base: str) -> None:
    """Write the adapter alone; no path of this machine goes into its config."""
    for config in model.peft_config.values():
        config.base_model_name_or_path = base
        config.target_modules = sorted(config.target_modules)  # a set has another order each run
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def _generation_config(source: Path, end_of_turn: int) -> dict[str, Any]:
    file = source / "generation_config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    config.pop("_from_model_config", None)  # it makes transformers prefer config.json over this
    known = config.get("eos_token_id")
    others = [] if known is None else [known] if isinstance(known, int) else list(known)
    ends = [end_of_turn, *(token for token in others if token != end_of_turn)]
    return {**config, "eos_token_id": ends if len(ends) > 1 else end_of_turn}
