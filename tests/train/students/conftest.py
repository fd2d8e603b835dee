"""Bases as they are published without a chat template, and small mixtures of experts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.sample import Sample
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe

BASE_TOKENS = {
    "qwen": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "llama3": (
        "<|end_of_text|>",
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|finetune_right_pad_id|>",
    ),
    "deepseek": (
        "<｜end▁of▁sentence｜>",
        "<｜begin▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
    ),
    "none": ("</s>",),
}
"""Special tokens of a base's vocabulary; the first is its end of sequence."""

COMMON: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "moe_intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.1,
    "num_experts_per_tok": 2,
}
LATENT: dict[str, Any] = {
    **COMMON,
    "num_key_value_heads": 2,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "q_lora_rank": 32,
    "kv_lora_rank": 512,  # with the next one: what vLLM's kernels for latent attention take
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 32,
    "v_head_dim": 32,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
SHAPES = {
    "DeepseekV2": {**LATENT, "topk_method": "group_limited_greedy"},
    "DeepseekV3": {**LATENT, "num_nextn_predict_layers": 0},
    "Qwen3Moe": {**COMMON, "num_key_value_heads": 1, "num_experts": 8, "head_dim": 32},
}

MakeTokenizer = Callable[..., Any]
MakeBase = Callable[..., Path]


@pytest.fixture(scope="session")
def bpe(toy: list[Sample]) -> str:
    texts = [message.content for sample in toy for message in sample.prompt]
    return train_bpe(texts + [str(sample.completion) for sample in toy], 320)


@pytest.fixture(scope="session")
def base_tokenizer(bpe: str) -> MakeTokenizer:
    """A tokenizer without a template, without padding and without <think>."""

    def make(family: str = "qwen", tokens: Sequence[str] = (), **names: str | None) -> Any:
        from tokenizers import Tokenizer
        from transformers import PreTrainedTokenizerFast

        special = BASE_TOKENS[family]
        if family in ("llama3", "deepseek"):
            names = {"bos_token": special[1], **names}
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(bpe),
            additional_special_tokens=[*special, *tokens],
            clean_up_tokenization_spaces=False,
            **{"eos_token": special[0], **names},
        )

    return make


@pytest.fixture
def base(tmp_path: Path, base_tokenizer: MakeTokenizer) -> MakeBase:
    """A folder with an untrained Qwen2 of the size of the other students, and `rows` embeddings."""

    def make(
        family: str = "qwen", tied: bool = True, spare: int = 0, template: str | None = None
    ) -> Path:
        import torch
        from transformers import Qwen2Config, Qwen2ForCausalLM

        tokenizer = base_tokenizer(family)
        tokenizer.chat_template = template
        config = Qwen2Config(
            vocab_size=len(tokenizer) + spare,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=256,
            tie_word_embeddings=tied,
            initializer_range=0.1,
            eos_token_id=tokenizer.eos_token_id,
        )
        torch.manual_seed(0)
        folder = tmp_path / f"base-{family}-{tied}-{spare}"
        Qwen2ForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def mixtures(tmp_path_factory: pytest.TempPathFactory, bpe: str) -> dict[str, Path]:
    """Folders of untrained mixtures with eight experts in two or three layers."""
    import torch
    import transformers

    folders = {}
    for name, shape in SHAPES.items():
        tokenizer = make_tokenizer(bpe, QWEN)
        config = getattr(transformers, f"{name}Config")(
            vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **shape
        )
        torch.manual_seed(0)
        folders[name] = tmp_path_factory.mktemp(name)
        getattr(transformers, f"{name}ForCausalLM")(config).save_pretrained(folders[name])
        tokenizer.save_pretrained(folders[name])
    return folders
