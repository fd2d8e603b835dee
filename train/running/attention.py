"""Which attention a training runs, and which layers are replaced by faster ones.

`auto` is a kernel for rows of different lengths where one is at hand: then rows need no padding.
FlashAttention 3 or 2 if its package is installed, else the one built into PyTorch (varlen.py).
They take 16-bit numbers on a GPU; elsewhere the model keeps its own default (sdpa, or eager).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

from ...pipeline.errors import RequestError
from ..settings import TrainingSettings
from .numerics import Numerics
from .varlen import NAME as VARLEN
from .varlen import register_varlen

_AMPERE: Final = (8, 0)
_PACKAGES: Final = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}
"""What to import for each; the hub's `kernels` library stands in for both."""


def use_attention(model: Any, settings: TrainingSettings, numerics: Numerics) -> str:
    """Set the attention of a model and, where asked, kernels of the hub; returns its name.

    Raises:
        RequestError: an implementation that is not installed, or that the model does not have.
    """
    name: str = settings.attention
    if name == "auto":
        name = _fastest(model, numerics) or model.config._attn_implementation
    elif skips_padding(name):
        _refuse_unusable(name, numerics)
    if name == VARLEN:
        register_varlen()
    try:
        model.set_attn_implementation(name)
    except (ImportError, ValueError) as error:
        raise RequestError(f"attention: {name} cannot be used with this model: {error}") from error
    if settings.kernels:
        _use_hub_kernels(model, numerics)
    return str(model.config._attn_implementation)


def skips_padding(name: str) -> bool:
    """Whether an implementation costs as much as each row alone, however many share a sequence."""
    return name == VARLEN or "flash" in name


def _fastest(model: Any, numerics: Numerics) -> str | None:
    """A kernel for rows of different lengths that this machine and this model have."""
    config = model.config.get_text_config()
    plain = not any(
        getattr(config, name, None) for name in ("attention_dropout", "attn_logit_softcapping")
    )
    if not _takes_kernels(numerics) or not model._supports_flash_attn:
        return None
    for name in ("flash_attention_3", "flash_attention_2"):
        if find_spec(_PACKAGES[name]) is not None:
            return name
    return VARLEN if plain and _has_varlen() else None


def _takes_kernels(numerics: Numerics) -> bool:
    if numerics.device != "cuda" or numerics.arithmetic == "float32":
        return False
    import torch

    return bool(torch.cuda.get_device_capability() >= _AMPERE)


def _has_varlen() -> bool:
    return find_spec("torch.nn.attention.varlen") is not None


def _refuse_unusable(name: str, numerics: Numerics) -> None:
    if not _takes_kernels(numerics):
        raise RequestError(
            f"attention: {name} needs an NVIDIA GPU from Ampere on and bfloat16, and this training "
            f"runs on {numerics.device} in {numerics.arithmetic}. Set attention: auto."
        )
    if name == VARLEN and not _has_varlen():
        raise RequestError("attention: varlen needs torch 2.10 or newer. Set attention: auto.")
    package = _PACKAGES.get(name)
    if package and find_spec(package) is None and find_spec("kernels") is None:
        raise RequestError(
            f"attention: {name} needs the package {package} (pip install flash-attn), or the "
            "library kernels with its files in the hub's cache. Set attention: auto to go without."
        )


def _use_hub_kernels(model: Any, numerics: Numerics) -> None:
    """Layers of the model by kernels that the hub names for them (RMSNorm, activations, …)."""
    if numerics.device != "cuda":
        raise RequestError(
            f"kernels: true needs a GPU, and this training runs on {numerics.device}. Leave it out."
        )
    if find_spec("kernels") is None:
        raise RequestError("kernels: true needs the library kernels: pip install kernels.")
    try:
        model.set_use_kernels(True)
    except (ImportError, ValueError, OSError) as error:
        raise RequestError(
            f"kernels: true, and they cannot be loaded: {error}. Training does not use the "
            "network: fetch them into the hub's cache first, or leave it out."
        ) from error
