"""Low-rank adapters beside frozen weights: which layers of a student get one, and what else trains.

The output head is never adapted: trl computes the loss from its weight directly, so an adapter
there would not be trained (trl 1.16, `sft_trainer.py`). Of new tokens the rows of embedding and
head are trained and nothing else of them. In a mixture of experts attention alone is adapted.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Final

from ...pipeline.errors import RequestError
from ..settings import Lora
from .router_load import find_routers

_EXPERTS: Final = frozenset({"gate", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3"})
"""Layers that peft takes for a mixture's experts (peft 0.21, transformers_weight_conversion.py).
Experts are one block of weights in transformers 5; an adapter there would make that block anew in
each pass, and shared experts of the same name would silently get none."""


def peft_config(lora: Lora | None, model: Any, tokens: Sequence[int] = ()) -> Any:
    """The `LoraConfig` for a model; None where all weights are trained.

    Args:
        tokens: ids whose embeddings are trained too.

    Raises:
        RequestError: a target names no linear layer that can be adapted.
    """
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        target_modules=_targets(lora, model),
        trainable_token_indices=_token_rows(model, tokens) if tokens else None,
    )


def quantization_config(lora: Lora | None) -> Any:
    """The `BitsAndBytesConfig` of QLoRA; None where nothing is quantised.

    NF4 with quantised constants and bfloat16 arithmetic: the settings of the paper
    (arXiv:2305.14314, section 3).

    Raises:
        RequestError: no GPU, or no bitsandbytes.
    """
    if lora is None or lora.quantize is None:
        return None
    import torch

    missing = [
        *([] if find_spec("bitsandbytes") else ["bitsandbytes (pip install bitsandbytes)"]),
        *([] if torch.cuda.is_available() else ["a GPU that torch sees"]),
    ]
    if missing:
        raise RequestError(
            f"lora.quantize: 4bit needs {' and '.join(missing)}, not there on this machine. "
            "Leave quantize out to train the adapter beside weights of 16 or 32 bits."
        )
    return nf4()


def nf4() -> Any:
    """How QLoRA rounds the frozen weights."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _targets(lora: Lora, model: Any) -> list[str]:
    from torch.nn import Linear

    head = model.get_output_embeddings()
    layers = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, Linear) and module is not head
    }
    if mixture := bool(find_routers(model)):
        layers -= _EXPERTS
    wanted = layers if lora.target == "all-linear" else set(lora.target)
    if unknown := sorted(wanted - layers):
        raise RequestError(
            f"lora.target: the model has no linear layer {', '.join(unknown)} that can be "
            f"adapted{' (experts cannot)' if mixture else ''}. Expected all-linear or some of: "
            f"{', '.join(sorted(layers))}."
        )
    return sorted(wanted)


def _token_rows(model: Any, tokens: Sequence[int]) -> dict[str, list[int]]:
    """peft's `trainable_token_indices`: rows of the embedding, and of a head of its own."""
    from peft.utils.other import TrainableTokensWrapper

    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    if head.bias is not None:
        raise RequestError(
            "new tokens beside LoRA: this model's output head has a bias, which peft would drop "
            "(https://github.com/huggingface/peft/issues/3649). Train all weights: leave lora out."
        )
    # trl asks the head for its bias (trl 1.16, add_fused_lm_head), and peft's wrapper around it
    # answers for its weight alone (peft 0.21, utils/other.py).
    TrainableTokensWrapper.bias = None
    names = {module: name.rpartition(".")[2] for name, module in model.named_modules()}
    tied = model.config.get_text_config().tie_word_embeddings
    modules = [embedding] if tied else [embedding, head]  # peft ties the head's rows itself
    return {names[module]: list(tokens) for module in modules}
