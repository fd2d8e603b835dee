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
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import RequestError
from ..pipeline.shards import write_text

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


def load_student(folder: Path, dtype: str) -> Any:
    """The causal language model in `folder`, all weights from its safetensors files.

    Args:
        dtype: float32 or bfloat16, whatever the files hold.

    Raises:
        RequestError: not a model, no safetensors, or weights missing from the files.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise RequestError(
            f"{folder} cannot be loaded as a model: {error}. Expected config.json and "
            "*.safetensors of a causal language model that transformers itself knows."
        ) from error
    absent = sorted({*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])})
    if absent:
        raise RequestError(
            f"{folder} holds no fitting weights for {len(absent)} tensors, among them "
            f"{', '.join(absent[:3])}; they would start at random. Expected a whole checkpoint."
        )
    return model


def longest_input(model: Any) -> int:
    """Most tokens that the model's positions allow; a very large number where it says nothing."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return int(limit) if limit else 1 << 40


def save_checkpoint(model: Any, out: Path, source: Path, end_of_turn: int, dtype: str) -> None:
    """Write a folder that transformers and vLLM load, made from a student in `source`."""
    import torch
    from transformers import GenerationConfig

    # A checkpoint with, say, a temperature and no do_sample cannot be saved through transformers
    # (strict validation), which would lose the training: that file is carried over by hand.
    model.generation_config = GenerationConfig()
    model.config.use_cache = True  # the trainer had switched it off for itself
    model.to(getattr(torch, dtype)).save_pretrained(out)
    for pattern in _CARRIED:
        for file in sorted(source.glob(pattern)):
            if file.is_file():
                shutil.copyfile(file, out / file.name)
    text = json.dumps(_generation_config(source, end_of_turn), indent=2, ensure_ascii=False)
    write_text(out / "generation_config.json", text + "\n")


def merge_adapter(model: Any, out: Path, base: str) -> Any:
    """Save the LoRA adapter of a peft model under `out`/adapter; returns the model with it merged.

    Args:
        base: what to call the student; no path of this machine goes into the files.
    """
    adapter = out / "adapter"
    for config in model.peft_config.values():
        config.base_model_name_or_path = base
        config.target_modules = sorted(config.target_modules)  # a set has another order each run
    model.save_pretrained(adapter, save_embedding_layers=False)
    (adapter / "README.md").unlink(missing_ok=True)
    return model.merge_and_unload()


def _generation_config(source: Path, end_of_turn: int) -> dict[str, Any]:
    file = source / "generation_config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    config.pop("_from_model_config", None)  # it makes transformers prefer config.json over this
    known = config.get("eos_token_id")
    others = [] if known is None else [known] if isinstance(known, int) else list(known)
    ends = [end_of_turn, *(token for token in others if token != end_of_turn)]
    return {**config, "eos_token_id": ends if len(ends) > 1 else end_of_turn}
