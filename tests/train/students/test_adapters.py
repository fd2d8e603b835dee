"""What peft and bitsandbytes are told; training with it is in test_saving.py and test_sft.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.errors import RequestError
from potstill.train.settings import Lora
from potstill.train.students import adapters
from potstill.train.students.adapters import nf4, peft_config, quantization_config
from potstill.train.students.loading import read_weights

MakeBase = Callable[..., Path]


def test_settings_reach_peft(students: dict[str, Path]) -> None:
    model = read_weights(students["qwen"], "float32")
    lora = Lora(r=4, alpha=8, dropout=0.1, rslora=True, dora=True, target=("v_proj", "q_proj"))
    config = peft_config(lora, model)
    found = (config.r, config.lora_alpha, config.lora_dropout, config.use_rslora, config.use_dora)
    assert found == (4, 8, 0.1, True, True)
    assert config.target_modules == {"q_proj", "v_proj"}
    assert config.trainable_token_indices is None
    assert peft_config(None, model) is None


@pytest.mark.parametrize("tied", [True, False])
def test_rows_of_new_tokens(base: MakeBase, tied: bool) -> None:
    """A head of its own has rows of its own; a tied one follows the embedding."""
    config = peft_config(Lora(), read_weights(base(tied=tied), "float32"), (3, 5))
    own = {"embed_tokens": [3, 5]}
    assert config.trainable_token_indices == (own if tied else {**own, "lm_head": [3, 5]})


def test_a_head_with_a_bias_cannot_have_new_tokens(base: MakeBase) -> None:
    import torch

    model = read_weights(base(tied=False), "float32")
    head = model.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.zeros(head.out_features))
    with pytest.raises(RequestError, match=r"head has a bias.*leave lora out"):
        peft_config(Lora(), model, (3,))


def test_quantisation_is_that_of_the_paper() -> None:
    import torch

    config = nf4()
    assert config.quantization_method() == "nf4"
    assert config.bnb_4bit_use_double_quant is True
    assert config.bnb_4bit_compute_dtype == torch.bfloat16
    assert quantization_config(None) is None
    assert quantization_config(Lora()) is None


@pytest.mark.parametrize(
    ("library", "gpu", "missing"),
    [
        (False, False, "bitsandbytes .* and a GPU"),
        (False, True, "bitsandbytes"),
        (True, False, "needs a GPU"),
        (True, True, None),
    ],
)
def test_quantisation_where_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, library: bool, gpu: bool, missing: str | None
) -> None:
    import torch

    def find(name: str) -> Any:
        return name if library else None

    monkeypatch.setattr(adapters, "find_spec", find)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    if missing is None:
        assert quantization_config(Lora(quantize="4bit")).load_in_4bit
        return
    with pytest.raises(RequestError, match=missing):
        quantization_config(Lora(quantize="4bit"))
