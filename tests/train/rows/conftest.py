"""Tiny models of several architectures with random weights, and rows of very different lengths."""

from collections.abc import Callable
from typing import Any

import pytest

MOE = {
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
MLA = {
    "num_key_value_heads": 2,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 16,
}
OWN: dict[str, dict[str, Any]] = {
    "Qwen2": {},
    "Llama": {},
    "Qwen3": {"head_dim": 32},
    "Mistral": {"sliding_window": 6},
    "DeepseekV3": {**MOE, **MLA},
    "Mamba2": {"num_heads": 8, "head_dim": 16, "state_size": 16},
}
VOCABULARY = 320


@pytest.fixture(scope="session")
def model() -> Callable[..., Any]:
    """A random model of two layers, the same each time."""
    pytest.importorskip("trl", reason="the train extra is not installed")

    def make(family: str, attention: str = "sdpa", dtype: str = "float32") -> Any:
        import torch
        import transformers

        config = getattr(transformers, f"{family}Config")(
            **{
                "vocab_size": VOCABULARY,
                "hidden_size": 64,
                "intermediate_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "max_position_embeddings": 256,
                "initializer_range": 0.1,
                **OWN[family],
            }
        )
        torch.manual_seed(0)
        made = getattr(transformers, f"{family}ForCausalLM")
        return made._from_config(
            config, attn_implementation=attention, dtype=getattr(torch, dtype)
        ).eval()

    return make


@pytest.fixture
def rows() -> list[dict[str, list[int]]]:
    """Nine rows of 3 to 40 tokens; loss on all but the first two."""
    lengths = (3, 40, 17, 8, 25, 4, 33, 12, 21)
    made = []
    for number, length in enumerate(lengths):
        ids = [(number * 37 + place * 11) % VOCABULARY for place in range(length)]
        made.append({"input_ids": ids, "labels": [-100, -100, *ids[2:]]})
    return made
