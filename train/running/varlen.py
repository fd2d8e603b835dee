"""PyTorch's own attention for rows of different lengths, as one more implementation.

`torch.nn.attention.varlen` is FlashAttention built into PyTorch: rows that stand in one sequence
are kept apart by their borders, at the cost of each row alone, and no package is needed beside
torch. transformers 5.19 does not offer it, so it is registered here under a name of its own.

It serves flat training batches, which carry their borders (`cu_seq_lens_q`, made by trl's
collator). Everything else that the same model meets, such as generation with a cache, goes to
`sdpa` with its usual mask. bfloat16 or float16 on an NVIDIA GPU from Ampere on.
"""

from __future__ import annotations

from typing import Any, Final

from ...pipeline.errors import RequestError

NAME: Final = "varlen"


def register_varlen() -> None:
    """Make `varlen` a name that transformers knows."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, varlen_attention)
    AttentionMaskInterface.register(NAME, varlen_mask)


def varlen_mask(
    *, q_length: int, kv_length: int, attention_mask: Any = None, **facts: Any
) -> Any | None:
    """No mask for several rows in one sequence, the one of sdpa for everything else.

    A mask over a flat batch of 64 thousand tokens would take 4 GiB.
    """
    from transformers.masking_utils import sdpa_mask

    several = not facts.get("allow_is_causal_skip", True)
    if attention_mask is None and several and q_length == kv_length > 1:
        return None
    return sdpa_mask(q_length=q_length, kv_length=kv_length, attention_mask=attention_mask, **facts)


def varlen_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    dropout: float = 0.0,
    scaling: float | None = None,
    **facts: Any,
) -> tuple[Any, None]:
    """Attention of one layer; as transformers calls it.

    Args:
        query: shape (1, heads, tokens, head size); keys and values may have fewer heads.

    Returns:
        Shape (1, tokens, heads, size of a value), and no weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if facts.get("cu_seq_lens_q") is None:
        kept: tuple[Any, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **facts
        )
        return kept
    _refuse_unknown_attention(dropout, facts)
    return _flat_attention(query, key, value, scaling, facts), None


def _flat_attention(query: Any, key: Any, value: Any, scaling: float | None, facts: Any) -> Any:
    import torch
    from torch.nn.attention import varlen
    from torch.nn.functional import pad

    # Under autocast the rotary embedding gives float32, which the kernel does not take.
    dtype = torch.bfloat16 if query.dtype == torch.float32 else query.dtype
    size, value_size = query.shape[-1], value.shape[-1]
    value = pad(value, [0, size - value_size])  # multi-head latent attention: smaller values
    window = facts.get("sliding_window")
    attended = varlen.varlen_attn(
        *(each[0].transpose(0, 1).to(dtype) for each in (query, key, value)),
        facts["cu_seq_lens_q"],
        facts["cu_seq_lens_k"],
        facts["max_length_q"],
        facts["max_length_k"],
        scale=scaling,
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return attended[None, ..., :value_size]


def _refuse_unknown_attention(dropout: float, facts: Any) -> None:
    """What the kernel cannot do must not be left out without a word."""
    asked = {name: facts.get(name) for name in ("softcap", "s_aux", "position_bias")}
    for name, value in {"dropout": dropout or None, **asked}.items():
        if value is not None:
            raise RequestError(
                f"attention: varlen cannot do the {name} of this model. Set attention: sdpa or "
                "eager."
            )
