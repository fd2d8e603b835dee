"""Low-rank adapters beside frozen weights: which layers of a student get one.

The output head is never adapted: trl computes the loss from its weight directly, so an adapter
there would not be trained (trl 1.16, `sft_trainer.py`).
"""

from __future__ import annotations

from typing import Any

from ...pipeline.errors import RequestError
from ..settings import Lora


def peft_config(lora: Lora | None, model: Any) -> Any:
    """The `LoraConfig` for a model; None where all weights are trained.

    Raises:
        RequestError: a target names no linear layer that can be adapted.
    """
    if lora is None:
        return None
    from peft import LoraConfig
    from torch.nn import Linear

    head = model.get_output_embeddings()
    layers = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, Linear) and module is not head
    }
    wanted = layers if lora.target == "all-linear" else set(lora.target)
    if unknown := sorted(wanted - layers):
        raise RequestError(
            f"lora.target: the model has no linear layer {', '.join(unknown)} that can be "
            f"adapted. Expected all-linear or some of: {', '.join(sorted(layers))}."
        )
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=sorted(wanted),
    )
