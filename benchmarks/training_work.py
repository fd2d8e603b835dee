"""What is trained in the benchmark of training, and how much arithmetic it is.

Lengths are lognormal with a median of 0.152 and a mean of 0.205 of the longest (sigma 0.8): with a
longest row of 32,768 tokens these are the 6.7 thousand tokens of mean length of performance notes
on reasoning data, and rows padded in twos, fours and eights are 70, 52 and 40 % useful.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from potstill.train.rows.examples import EXAMPLE_SCHEMA

SIGMA = 0.8
MEDIAN_SHARE = 0.152
PROMPT_SHARE = 0.1
"""Of a row; it has no loss."""

PEAK_TFLOPS = {"H100 PCIe": 756, "H100": 989, "H200": 989, "A100": 312}
"""Dense bfloat16 of a device, by a part of its name; from NVIDIA's data sheets."""


@dataclass(frozen=True)
class Shape:
    """A model by its sizes, and the longest row it is trained on."""

    config: dict[str, Any]
    longest: int


SHAPES = {
    "qwen2.5-1.5b": Shape(
        {
            "vocab_size": 151_936,
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32_768,
            "tie_word_embeddings": True,
        },
        8192,
    ),
    "tiny": Shape(
        {
            "vocab_size": 512,
            "hidden_size": 64,
            "intermediate_size": 192,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 32_768,
            "tie_word_embeddings": True,
        },
        256,
    ),
}


def made_rows(count: int, longest: int, vocabulary: int, seed: int = 7) -> pa.Table:
    """Token rows of random tokens."""
    random = np.random.default_rng(seed)
    drawn = random.lognormal(np.log(MEDIAN_SHARE * longest), SIGMA, count)
    lengths = np.clip(drawn, 16, longest).astype(int)
    ends = np.cumsum(lengths)
    ids = random.integers(16, vocabulary, ends[-1], dtype=np.int32)
    places = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    in_prompt = places < np.repeat(PROMPT_SHARE * lengths, lengths)
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    columns = [
        pa.ListArray.from_arrays(offsets, pa.array(values))
        for values in (ids, np.where(in_prompt, np.int32(-100), ids))
    ]
    return pa.table(columns, schema=EXAMPLE_SCHEMA)


def training_flops(config: Any, parameters: int, lengths: Iterable[int]) -> float:
    """Arithmetic that rows need in a forward and a backward pass, nothing computed twice.

    6 for each weight of a matrix and token, and in each layer 6 * width * length² for causal
    attention (Chowdhery et al. 2022, appendix B, halved by the mask). Embeddings that are not the
    output head too are looked up and not multiplied.
    """
    tied = config.tie_word_embeddings
    multiplied = parameters - (0 if tied else config.vocab_size * config.hidden_size)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    attention = 6 * config.num_hidden_layers * config.num_attention_heads * head
    return float(sum(6 * multiplied * length + attention * length**2 for length in lengths))


def peak_flops(device: str) -> float | None:
    """Of a device by its name; None where it is unknown."""
    return next((peak * 1e12 for name, peak in PEAK_TFLOPS.items() if name in device), None)


def padded_share(lengths: Sequence[int], places: int) -> float:
    """Share of computed places that hold no token."""
    return 1 - sum(lengths) / places
