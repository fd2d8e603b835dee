"""What tests that ask a model share: a tiny model with random weights, and a bench that knows it.

Random weights write gibberish that seldom ends, which is what engines must survive; what it says
does not matter here. Its template writes `<think>` itself where the test asks for that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import Workbench

from potstill.pipeline.stage import Context
from potstill.pipeline.statcache import DigestCache
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe

CONTEXT = 256


class ModelBench(Workbench):
    """A bench whose paths have digests, as the plan gives them."""

    def context(self, name: str, *args: Any, **given: Any) -> Context:
        made = super().context(name, *args, **given)
        cache = DigestCache(None)
        digests = {name: cache.digest_path(path) for name, path in made.paths.items()}
        return replace(made, digests=digests)


def make_tiny_model(folder: Path, prefill: bool = False) -> Path:
    """A Qwen2 model of 90,000 parameters that has learned nothing; returns its folder."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = make_tokenizer(train_bpe(["How much is 3 + 4?"] * 2, 300), QWEN)
    if prefill:
        opening = "<|im_start|>assistant\\n"
        assert opening in tokenizer.chat_template
        tokenizer.chat_template = tokenizer.chat_template.replace(opening, f"{opening}<think>\\n")
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    network = Qwen2ForCausalLM(config)
    network.generation_config.eos_token_id = tokenizer.eos_token_id
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
