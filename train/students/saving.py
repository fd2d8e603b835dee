"""A model folder in, a model folder out: what is saved can be served.

Saves weights, config, the student's tokenizer and template (its own files byte by byte where
nothing in them was changed), and a generation config whose end of sequence is the token that the
chat template ends a turn with: a server stops where the student was trained to stop. LoRA adapters
are merged into full weights, which is what vLLM loads best, and kept under `adapter/` too; or
saved alone.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from ...models.lint.linted import read_config
from ...pipeline.shards import write_text
from ..settings import Lora
from .loading import load_weights, read_weights
from .student import Student

_LICENCE: Final = ("LICENSE*", "NOTICE*")
_TOKENIZER: Final = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template*",
)
_ADAPTER: Final = "adapter_config.json"


def save_student(
    student: Student, checkpoint: Path, out: Path, dtype: str, lora: Lora | None = None
) -> None:
    """Write a folder that transformers and vLLM load: a student with the weights of a checkpoint.

    Args:
        checkpoint: full weights, or a LoRA adapter.
        dtype: of the saved weights.
        lora: says whether an adapter is merged (and kept under `adapter/`) or saved alone.
    """
    if lora is not None and lora.save == "adapter":
        _save_adapter(student, checkpoint, out)
    else:
        _save_weights(student, checkpoint, out, dtype)
        if (checkpoint / _ADAPTER).exists():
            _save_adapter(student, checkpoint, out / "adapter")
    _save_tokenizer(student, out)
    config = _generation_config(student)
    text = json.dumps(config, indent=2, ensure_ascii=False)
    write_text(out / "generation_config.json", text + "\n")


def _save_weights(student: Student, checkpoint: Path, out: Path, dtype: str) -> None:
    import torch

    model = _trained(student, checkpoint, dtype)
    model.config.use_cache = True  # the trainer had switched it off for itself
    text = model.config.get_text_config()
    text.eos_token_id = _generation_config(student)["eos_token_id"]
    text.pad_token_id = student.tokenizer.pad_token_id
    if text.model_type == "deepseek_v3" and not hasattr(text, "topk_method"):
        text.topk_method = "noaux_tc"  # vLLM 0.32 reads the routers' biases under this name only
    model.to(getattr(torch, dtype)).save_pretrained(out)


def _trained(student: Student, checkpoint: Path, dtype: str) -> Any:
    if not (checkpoint / _ADAPTER).exists():
        return read_weights(checkpoint, "float32")
    from peft import PeftModel

    return PeftModel.from_pretrained(load_weights(student, dtype), checkpoint).merge_and_unload()


def _save_adapter(student: Student, checkpoint: Path, folder: Path) -> None:
    """Copy the adapter alone; no path of this machine goes into its config."""
    folder.mkdir(exist_ok=True)
    config = read_config(checkpoint / _ADAPTER)
    config["base_model_name_or_path"], config["revision"] = student.base
    config["target_modules"] = sorted(config["target_modules"])  # a set has another order each run
    write_text(folder / _ADAPTER, json.dumps(config, indent=2, sort_keys=True) + "\n")
    shutil.copyfile(checkpoint / "adapter_model.safetensors", folder / "adapter_model.safetensors")


def _save_tokenizer(student: Student, out: Path) -> None:
    changed = student.saved_tokenizer
    if changed is not None:
        changed.save_pretrained(out)
    for pattern in _LICENCE if changed is not None else (*_LICENCE, *_TOKENIZER):
        for file in sorted(student.folder.glob(pattern)):
            if file.is_file():
                shutil.copyfile(file, out / file.name)


def _generation_config(student: Student) -> dict[str, Any]:
    config = read_config(student.folder / "generation_config.json")
    config.pop("_from_model_config", None)  # it makes transformers prefer config.json over this
    end = student.end_of_turn
    known = config.get("eos_token_id")
    others = [] if known is None else [known] if isinstance(known, int) else list(known)
    ends = [end, *(token for token in others if token != end)]
    if student.changes.any:
        config["pad_token_id"] = student.tokenizer.pad_token_id
    return {**config, "eos_token_id": ends if len(ends) > 1 else end}
