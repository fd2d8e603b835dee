"""The weights of a student: whole, from safetensors only, nothing started at random.

Weights that a file lacks would be drawn at random without a word; a pickle could run code. Both
are refused.
"""

from __future__ import annotations

from typing import Any

from ...pipeline.errors import RequestError
from .student import Student


def load_weights(student: Student, dtype: str) -> Any:
    """The causal language model of a student, all weights from its safetensors files.

    Args:
        dtype: float32 or bfloat16, whatever the files hold.

    Raises:
        RequestError: not a model, no safetensors, or weights missing from the files.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, GenerationConfig

    folder = student.folder
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
    # A model with, say, a temperature and no do_sample cannot be saved through transformers (strict
    # validation), which would lose the training: that file is carried over by hand (saving.py).
    model.generation_config = GenerationConfig()
    return model
