"""The weights of a student: whole, from safetensors only, nothing started at random.

Weights that a file lacks would be drawn at random without a word; a pickle could run code. Both
are refused. `load_weights` is a student as it begins: its folder, and rows for its new tokens.
`read_weights` is a folder as it is, such as a checkpoint, which has those rows already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...pipeline.errors import RequestError
from .student import Student
from .vocabulary import fit_vocabulary


def load_weights(student: Student, dtype: str, quantization: Any = None) -> Any:
    """The causal language model that a training begins with.

    Args:
        dtype: float32 or bfloat16, whatever the files hold.
        quantization: a `BitsAndBytesConfig`; None: none.

    Raises:
        RequestError: not a model, no safetensors, or weights missing from the files.
    """
    model = read_weights(student.folder, dtype, quantization)
    fit_vocabulary(model, student)
    return model


def read_weights(folder: Path, dtype: str, quantization: Any = None) -> Any:
    """The causal language model in a folder, all weights from its safetensors files.

    Raises:
        RequestError: as `load_weights`.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, GenerationConfig

    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **_placed(quantization),
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


def _placed(quantization: Any) -> dict[str, Any]:
    """Quantised weights are made on the device of this very process."""
    if quantization is None:
        return {}
    from accelerate import PartialState

    return {"quantization_config": quantization, "device_map": {"": PartialState().device}}
