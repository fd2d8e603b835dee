"""A student learns what its reward asks for: of a rule, and of a reward model beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from potstill.filters.contains import Contains
from potstill.filters.reward_model import RewardModel
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.pipeline.verdicts import read_verdict_sets
from potstill.train.grpo import Grpo

SAYS_ONE = Contains(any_of=("1",), where="thought", whole_words=False)
"""A trivial task: write the digit 1 somewhere. Random weights do so now and then."""


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, {"r": 8}], ids=["full", "lora"])
def test_the_reward_rises(train: Callable[..., Any], lora: Any) -> None:
    quick = {"max_steps": 20, "batch_size": 32, "completions": 8, "warmup_share": 0}
    rate = 3e-3 if lora is None else 2e-2
    trained = train(filters={"one": SAYS_ONE}, lora=lora, learning_rate=rate, **quick)
    rewards = [line["reward_parts/one"] for line in trained.log]
    assert sum(rewards[:2]) / 2 < 0.3
    assert sum(rewards[-5:]) / 5 > 0.9
    assert trained.metrics["last"]["reward"] > trained.metrics["first"]["reward"]
    divergence = [line["kl"] for line in trained.log]
    assert divergence[0] == pytest.approx(0, abs=1e-6)
    assert divergence[-1] > 0.1
    assert trained.metrics["groups"]["zero_variance"] > 0  # all right, in the end
    assert trained.metrics["samples"] == 20 * 32


@pytest.fixture
def reward_model(students: dict[str, Path], tmp_path: Path) -> Path:
    """A classifier with random weights and the student's tokenizer."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(students["qwen"])
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.5,
        num_labels=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    Qwen2ForSequenceClassification(config).save_pretrained(tmp_path / "judge")
    tokenizer.save_pretrained(tmp_path / "judge")
    return tmp_path / "judge"


def test_a_reward_model_beside_a_rule(
    grpo: Callable[..., Grpo],
    asked: Callable[..., Context],
    toy: Sequence[Sample],
    reward_model: Path,
    students: dict[str, Path],
) -> None:
    """Rules where an answer can be checked, a model for the rest: R1's second stage."""
    samples = [
        replace(sample, task="math" if number % 2 else "general", answer=None)
        for number, sample in enumerate(toy)
    ]
    filters = {"one": SAYS_ONE, "liked": RewardModel(model="./judge")}
    given = replace(
        asked(samples=samples, filters=filters),
        paths={"./judge": reward_model, "./student": students["qwen"]},
        digests={"./judge": "0"},
    )
    parts = {"one": {"tasks": ["math"]}, "liked": {"weight": 1, "tasks": ["general"]}}
    metrics = grpo(rewards=parts, max_tokens=48, batch_size=32).run(given)
    assert metrics["tasks"] == {"general": 16, "math": 16}
    assert metrics["first"].keys() >= {"one", "liked"}
    assert metrics["first"]["unknown"] == 0
    sets = read_verdict_sets(given.out / "samples")
    assert sets["liked"].reasons.keys() >= {"not_asked", "scored", "truncated"}
    assert (
        sets["one"].reasons["not_asked"] == metrics["samples"] - sets["liked"].reasons["not_asked"]
    )
