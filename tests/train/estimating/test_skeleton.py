"""Counts without numbers against a model with numbers: parameters, what autograd keeps, FLOPs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from potstill.train.estimating.memory import memory_of
from potstill.train.estimating.skeleton import Parameters, Traced, traced
from potstill.train.estimating.subject import Subject
from potstill.train.running.bench import Bench

Make = Callable[..., Subject]


def bench_of(made: Subject) -> Bench:
    given = (made.context, made.student, made.numerics, made.prepared.table)
    return Bench(made.stage, *given, made.context.state / "here", main=True)


@pytest.mark.parametrize(
    "fields",
    [{}, {"lora": {"r": 4}}, {"lora": {"target": ["q_proj"]}}, {"add_tokens": ["<new>"]}],
    ids=str,
)
def test_parameters_are_those_of_the_trainer(subject: Make, fields: dict[str, Any]) -> None:
    made = subject(**fields)
    with made.stage.open_trainer(bench_of(made)) as trainer:
        real = Parameters.of(trainer.model)
    assert made.parameters == real
    assert (real.trained < real.total) == ("lora" in fields)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_autograd_keeps_is_counted(subject: Make, bfloat16: bool) -> None:
    import torch

    made = subject()
    model = bench_of(made).model.train().base_model
    parameters = {each.untyped_storage().data_ptr() for each in model.parameters()}
    kept: dict[int, Any] = {}

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage
        return tensor

    tokens = torch.zeros(3, 50, dtype=torch.long)
    mask = torch.ones_like(tokens)
    mask[0, -1] = 0  # where nothing is padded, transformers makes no mask
    with (
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bfloat16),
    ):
        out = model(tokens, attention_mask=mask, use_cache=False)
    assert out.last_hidden_state.requires_grad
    real = sum(storage.nbytes() for storage in kept.values())
    found = traced(made.model, 3, 50, bfloat16=bfloat16)
    assert found.kept_bytes == pytest.approx(real, rel=0.01)


def test_operations_are_two_for_each_weight_and_the_scores_of_attention(subject: Make) -> None:
    made = subject()
    layers, heads, head_dim = 2, 2, 32
    weights = sum(
        each.numel() for name, each in made.model.named_parameters() if "_proj.weight" in name
    )
    found = traced(made.model, 3, 50, bfloat16=False)
    scores = layers * 3 * heads * 2 * (2 * 50 * 50 * head_dim)  # queries by keys, and by values
    assert found.forward == 2 * weights * 3 * 50 + scores
    assert found.backward == 2 * (2 * weights * 3 * 50) + scores * 5 / 2


def test_lora_computes_no_gradients_of_frozen_weights(subject: Make) -> None:
    whole, lora = (subject(**fields).traced(2, 50) for fields in ({}, {"lora": {"r": 2}}))
    assert isinstance(whole, Traced)
    assert isinstance(lora, Traced)
    assert lora.backward < 0.8 * whole.backward
    assert lora.forward > whole.forward


def test_eager_attention_keeps_its_scores(subject: Make) -> None:
    sdpa, eager = (subject(attention=kind).traced(2, 200) for kind in ("sdpa", "eager"))
    assert sdpa is not None
    assert eager is not None
    scores = 2 * 2 * 2 * 200 * 200 * 4  # layers, rows, heads
    assert eager.kept_bytes - sdpa.kept_bytes > scores / 2


def test_what_torch_cannot_follow_is_unknown_and_not_zero(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from potstill.train.estimating import subject as subject_module

    def refuse(*given: Any, **named: Any) -> Traced:
        raise RuntimeError("Expected inputs of BF16 type\nmore")

    monkeypatch.setattr(subject_module, "traced", refuse)
    made = subject()
    memory = memory_of(made)
    assert (memory.activations, memory.recomputed) == (None, 0)
    assert memory.highest(accumulating=False) is None
    assert memory.weights > 0


def test_a_published_size_is_met_without_its_weights() -> None:
    """Qwen2.5-1.5B has 1,543,714,304 parameters (its model card: 1.54B)."""
    from transformers import Qwen2Config

    from potstill.train.estimating.skeleton import skeleton

    config = Qwen2Config(
        vocab_size=151936,
        hidden_size=1536,
        intermediate_size=8960,
        num_hidden_layers=28,
        num_attention_heads=12,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    student: Any = SimpleNamespace(config=config, vocabulary=151936)
    settings: Any = SimpleNamespace(lora=None, attention="auto")
    numerics: Any = SimpleNamespace(weights="bfloat16")
    student.changes = SimpleNamespace(trained=())
    assert Parameters.of(skeleton(student, settings, numerics)).total == 1_543_714_304


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_experts_are_counted_where_torch_can(tmp_path: Path, dtype: str) -> None:
    """Four of them in each of two layers, of which two take part."""
    from transformers import Qwen3MoeConfig

    from potstill.train.estimating.skeleton import skeleton

    config = Qwen3MoeConfig(
        vocab_size=64,
        hidden_size=32,
        moe_intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        num_experts=4,
        num_experts_per_tok=2,
    )
    student: Any = SimpleNamespace(config=config, vocabulary=64)
    student.changes = SimpleNamespace(trained=())
    settings: Any = SimpleNamespace(lora=None, attention="auto")
    numerics: Any = SimpleNamespace(weights=dtype)
    model = skeleton(student, settings, numerics)
    experts = sum(each.numel() for name, each in model.named_parameters() if "experts" in name)
    assert experts == 2 * 4 * 3 * 32 * 16
    if dtype == "float32":
        with pytest.raises(RuntimeError, match="BF16"):  # the reason that a user is told
            traced(model, 1, 8, bfloat16=False)
    else:
        assert traced(model, 1, 8, bfloat16=True).kept_bytes > 0
