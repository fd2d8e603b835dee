"""The estimate of memory against what a real training takes, and part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.train.distill import Distill
from potstill.train.estimating import memory as memory_module
from potstill.train.estimating.disk import disk_of
from potstill.train.estimating.memory import (
    NF4_BITS,
    TILE_TOKENS,
    TILE_WORDS,
    memory_of,
)
from potstill.train.estimating.subject import Subject
from potstill.train.running.bench import Bench

Make = Callable[..., Subject]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"micro_batch": 2},
        {"gradient_checkpointing": True},
        {"lora": {}},
        {"dtype": "bfloat16"},
        {"attention": "eager"},
    ],
    ids=str,
)
def test_it_is_what_the_tensors_take(
    subject: Make, peak: Callable[[Any], int], fields: dict[str, Any]
) -> None:
    made = subject(**fields, max_steps=2)
    estimated = memory_of(made)
    highest = estimated.highest(made.accumulates)
    assert highest is not None
    given = (made.context, made.student, made.numerics, made.prepared.table)
    with made.stage.open_trainer(
        Bench(made.stage, *given, made.context.state / "here", main=True)
    ) as trainer:
        real = peak(trainer)
    # A tile's buffer is as wide as if the vocabulary were large, and untouched beyond its words.
    sequences, length = made.longest_batch or (0, 0)
    rows, size = sequences * (length - 1), 2 if "dtype" in fields else 4
    assert rows <= TILE_TOKENS
    real -= rows * (TILE_WORDS - made.config.vocab_size) * size
    ratio = (highest - estimated.process) / real
    assert 0.9 <= ratio <= 1.1, ratio


def test_tiles_are_those_of_trl() -> None:
    from trl.kernels import chunked_logprob
    from trl.trainer import utils

    assert TILE_TOKENS == chunked_logprob.TOKEN_CHUNK_SIZE
    assert TILE_WORDS == utils._CHUNKED_LOGPROB_CHUNK_SIZE


def test_parts_follow_the_settings(subject: Make) -> None:
    whole = memory_of(subject())
    assert (whole.gradients, whole.optimizer) == (whole.weights, 2 * whole.weights)
    assert whole.process > 100e6  # torch alone has more
    assert whole.other_models == 0

    lora = memory_of(subject(lora={"r": 2}))
    assert lora.gradients < whole.gradients / 10
    assert lora.weights == whole.weights + lora.gradients
    small = memory_of(subject(micro_batch=2))
    assert small.activations == pytest.approx((whole.activations or 0) / 4, rel=0.05)
    again = memory_of(subject(gradient_checkpointing=True))
    assert (again.activations or 0) < (whole.activations or 0) * 0.7


def test_rounded_weights_are_counted_in_bits(subject: Make) -> None:
    made = subject(lora={"r": 2})
    quantized = made.stage.model_copy(
        update={"lora": made.stage.lora.model_copy(update={"quantize": "4bit"})}
    )
    frozen = sum(
        each.numel()
        for name, each in made.model.named_parameters()
        if name.endswith("base_layer.weight")
    )
    saved = memory_of(made).weights - memory_of(replace(made, stage=quantized)).weights
    assert saved == pytest.approx(frozen * (4 - NF4_BITS / 8), abs=1)


def test_a_gpu_has_tiles_as_wide_as_trl_makes_them(subject: Make) -> None:
    made = subject()
    gpu = replace(made, numerics=replace(made.numerics, device="cuda", arithmetic="bfloat16"))
    sequences, length = made.longest_batch or (0, 0)
    found = memory_module._loss(gpu)
    assert found is not None
    assert found > sequences * length * TILE_WORDS * 2


def test_a_checkpoint_has_three_numbers_for_each_that_is_trained(subject: Make) -> None:
    whole, parameters = disk_of(made := subject()), made.parameters
    assert whole == {
        "checkpoint": 3 * 4 * parameters.total,
        "result": 4 * parameters.total,
        "most": 7 * 4 * parameters.total,
    }
    lora = disk_of(made := subject(lora={"r": 2}))
    assert lora["checkpoint"] == 3 * 4 * made.parameters.trained
    assert lora["result"] == 4 * made.parameters.total  # merged, and the adapter beside it
    adapter = disk_of(made := subject(lora={"r": 2, "save": "adapter"}))
    assert adapter["result"] == 4 * made.parameters.trained


def test_a_teacher_is_held_beside_the_student(
    subject: Make, students: dict[str, Path], mixture: Callable[..., Artifact]
) -> None:
    made = subject()
    stage = Distill(data="mixture", model="./student", teacher="./teacher")
    context = replace(
        made.context, paths={"./student": students["qwen"], "./teacher": students["qwen"]}
    )
    found = memory_of(replace(made, stage=stage, context=context))
    assert found.other_models == found.weights
    assert found.loss is None  # its whole logits: how much of them is kept is not known
    assert found.highest(accumulating=False) is None
