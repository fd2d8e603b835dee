"""Mixtures of experts with latent attention are trained and saved like any student; their routers
are watched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft
from potstill.train.students.router_load import LoadCounter, find_routers

Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]


def log(out: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log" / name).open()]


@pytest.mark.parametrize("name", ["DeepseekV2", "DeepseekV3", "Qwen3Moe"])
def test_learns_and_is_saved(
    name: str,
    sft: Build,
    mixtures: dict[str, Path],
    toy: list[Sample],
    mixture: Mix,
    context: Make,
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    given = context(mixture(toy), mixtures[name])
    metrics = sft(epochs=4, learning_rate=6e-3, max_length=256).run(given)
    assert metrics["loss_last"] < metrics["loss_first"] - 1

    model = AutoModelForCausalLM.from_pretrained(given.out)
    before = AutoModelForCausalLM.from_pretrained(mixtures[name])
    moved = {
        each
        for each, weight in model.state_dict().items()
        if not torch.equal(weight, before.state_dict()[each])
    }
    assert any(each.endswith("mlp.gate.weight") for each in moved)  # routers learn
    assert any("experts.down_proj" in each for each in moved)
    # transformers does not move the bias that keeps DeepSeek-V3's experts in balance.
    assert not any("e_score_correction_bias" in each for each in moved)

    layers = 3 if name == "Qwen3Moe" else 2
    steps = log(given.out, "router.jsonl")
    assert [row["step"] for row in steps] == list(range(1, metrics["steps"] + 1))
    assert all(len(row["layers"]) == layers for row in steps)
    for row, step in zip(steps, log(given.out, "steps.jsonl"), strict=True):
        found = list(row["layers"].values())
        assert step["router/max_load"] == max(layer["max_load"] for layer in found) >= 1
        dead = sum(layer["dead_share"] for layer in found) / layers
        assert step["router/dead_share"] == pytest.approx(dead)


def test_loads_count_each_token_once(
    sft: Build, mixtures: dict[str, Path], toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """Padding does not count, nor a layer that is computed again, nor how a batch is cut."""
    data, found = mixture(toy), {}
    for name, fields in (
        ("plain", {}),
        ("twice", {"gradient_checkpointing": True}),
        ("cut", {"micro_batch": 2}),
    ):
        given = context(data, mixtures["DeepseekV3"], name)
        sft(max_steps=1, **fields).run(given)
        found[name] = log(given.out, "router.jsonl")
    assert found["plain"] == found["twice"] == found["cut"]


class OneProcess:
    """The part of an accelerator that adds up what several processes counted."""

    def reduce(self, counts: Any, reduction: str) -> Any:
        return counts


@pytest.fixture
def counted(mixtures: dict[str, Path]) -> Iterator[tuple[Any, LoadCounter]]:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(mixtures["Qwen3Moe"]).train()
    counter = LoadCounter(model, find_routers(model))
    yield model, counter
    counter.close()


def test_a_load_of_one_is_a_fair_share(counted: tuple[Any, LoadCounter]) -> None:
    """Loads are what the router's own scores say, of tokens that are no padding."""
    import torch

    model, counter = counted
    tokens = torch.arange(5, 45).view(2, 20)
    mask = torch.ones_like(tokens)
    mask[1, 8:] = 0
    logits = model(tokens, attention_mask=mask, output_router_logits=True).router_logits
    loads = counter.take(OneProcess())
    for name, layer in zip(loads, logits, strict=True):
        chosen = layer[mask.flatten().bool()].topk(2).indices.flatten()
        expected = torch.bincount(chosen, minlength=8) * 8 / (2 * 28)
        assert loads[name] == pytest.approx(expected.tolist())
        assert sum(loads[name]) == pytest.approx(8)
    assert counter.take(OneProcess()) == {}


def test_what_is_only_generated_is_not_counted(counted: tuple[Any, LoadCounter]) -> None:
    import torch

    model, counter = counted
    with torch.no_grad():
        model(torch.arange(5, 25)[None])
    assert counter.take(OneProcess()) == {}


def test_a_dense_student_has_no_router(students: dict[str, Path]) -> None:
    from transformers import AutoModelForCausalLM

    assert find_routers(AutoModelForCausalLM.from_pretrained(students["qwen"])) == {}


def test_lora_beside_experts(
    sft: Build, mixtures: dict[str, Path], toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """Attention is adapted and merged; experts, shared or routed, and routers stay as they are."""
    import torch
    from transformers import AutoModelForCausalLM

    given = context(mixture(toy), mixtures["DeepseekV3"])
    metrics = sft(epochs=2, learning_rate=2e-2, lora={"r": 4, "dropout": 0.1}).run(given)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert log(given.out, "router.jsonl")
    before = AutoModelForCausalLM.from_pretrained(mixtures["DeepseekV3"]).state_dict()
    after = AutoModelForCausalLM.from_pretrained(given.out).state_dict()
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert any("kv_a_proj_with_mqa" in name for name in moved)
    assert all(".self_attn." in name for name in moved)

    with pytest.raises(
        RequestError, match=r"no linear layer down_proj .*experts cannot.*kv_b_proj"
    ):
        sft(lora={"target": ["down_proj"]}).run(context(mixture(toy), mixtures["DeepseekV3"], "b"))
