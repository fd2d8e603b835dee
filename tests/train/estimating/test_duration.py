"""How much there is to do, and how long it takes: tried where it is quick, else an interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from potstill.train.estimating import duration as duration_module
from potstill.train.estimating.duration import SHARES, duration_of
from potstill.train.estimating.subject import Subject
from potstill.train.estimating.trial import TRIAL_BATCHES, timed_steps
from potstill.train.estimating.work import padded_tokens, sequence_lengths, steps
from potstill.train.grpo import Grpo
from potstill.train.training import Prepared

Make = Callable[..., Subject]
PROMPTS = pa.table({"prompt_ids": [[1, 2], [3]]})


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        (32, {"epochs": 1}, 4),
        (33, {"epochs": 1}, 5),
        (33, {"epochs": 3}, 15),
        (33, {"epochs": 0.5}, 3),
        (3, {"epochs": 2}, 2),
        (33, {"epochs": 3, "max_steps": 7}, 7),
        (32, {"epochs": 1, "micro_batch": 2}, 4),
    ],
)
def test_steps_are_those_of_the_trainer(
    sft: Callable[..., Any], rows: int, fields: dict[str, Any], expected: int
) -> None:
    assert steps(sft(**fields), rows) == expected


def test_problems_are_asked_in_groups() -> None:
    given = {"data": "d", "model": "m", "rewards": {"math": 1}, "completions": 8}
    assert steps(Grpo(**given, batch_size=64), 33) == 5  # eight problems a step
    assert steps(Grpo(**given, batch_size=64, num_iterations=2), 33) == 10
    # Four steps on the completions of 32 problems, and of 32 once more.
    assert steps(Grpo(**given, batch_size=64, updates_per_generation=4), 33) == 8
    assert sequence_lengths(PROMPTS) is None


def test_sequences_of_rows_and_pairs() -> None:
    rows = pa.table({"input_ids": [[1, 2, 3], [4]], "labels": [[1, 2, 3], [4]]})
    assert np.array_equal(sequence_lengths(rows), [[3], [1]])
    pairs = PROMPTS.append_column("chosen_ids", [[[1], [2, 3]]]).append_column(
        "rejected_ids", [[[1, 2, 3], [4]]]
    )
    assert np.array_equal(sequence_lengths(pairs), [[3, 5], [3, 2]])


def test_padding_is_computed_too(sft: Callable[..., Any]) -> None:
    lengths = np.array([[10], [10], [10], [2]])
    assert padded_tokens(lengths, sft(), 4) == 40
    assert padded_tokens(lengths, sft(), 1) == 32
    assert 32 < padded_tokens(lengths, sft(), 2) <= 40


def test_packed_rows_are_not_padded(subject: Make) -> None:
    packed, plain = subject(packing=True), subject()
    assert packed.lengths is not None
    assert (packed.padded, plain.padded) == (False, True)
    assert packed.tokens == packed.lengths.sum()
    assert plain.tokens is not None
    assert plain.tokens > packed.tokens


def test_a_quick_training_is_tried(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duration_module, "TRIAL_SECONDS", math.inf)
    made = subject(epochs=10)
    found = duration_of(made, fits=True)
    assert found.basis == f"{TRIAL_BATCHES} steps measured here"
    assert found.low is not None
    assert found.seconds is not None
    assert found.high is not None
    assert 0 < found.low <= found.seconds <= found.high
    assert not list(made.context.out.rglob("*.safetensors"))
    assert not list((made.context.state / "trial").rglob("*.safetensors"))


def test_a_trial_ignores_what_is_not_training(subject: Make) -> None:
    made = subject(batch_size=16, epochs=10, checkpoint_every=1)
    assert len(timed_steps(made)) == 2  # 32 rows are two batches


def test_a_long_training_is_an_interval(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duration_module, "product_rate", lambda numerics: 1e6)
    made = subject(epochs=2)
    found = duration_of(made, fits=True)
    one = duration_of(replace(made, stage=made.stage.model_copy(update={"epochs": 1})), fits=True)
    assert found.seconds == pytest.approx(2 * (one.seconds or 0))
    assert found.low == pytest.approx((found.seconds or 0) * SHARES[1] / SHARES[2])
    assert found.high == pytest.approx((found.seconds or 0) * SHARES[1] / SHARES[0])
    weights = made.parameters.total
    operations = (found.seconds or 0) * 1e6 * SHARES[1]
    assert made.tokens is not None
    # Six for each weight and token (Kaplan et al. 2020), a bit more for attention and the head.
    assert 6 * weights * made.tokens * 2 < operations < 9 * weights * made.tokens * 2
    again = replace(made, stage=made.stage.model_copy(update={"gradient_checkpointing": True}))
    assert (duration_of(again, fits=True).seconds or 0) > (found.seconds or 0) * 1.2


def test_what_does_not_fit_is_not_tried(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duration_module, "timed_steps", lambda given: pytest.fail("tried"))
    assert "matrix product" in duration_of(subject(), fits=False).basis


def test_what_is_not_known_before_is_unknown(subject: Make) -> None:
    made = replace(subject(), prepared=Prepared(PROMPTS))
    found = duration_of(made, fits=True)
    assert (found.seconds, found.low, found.high) == (None, None, None)
    assert "shows only while training" in found.basis


def test_rates_are_measured_here() -> None:
    from potstill.train.estimating.rates import product_rate

    here: Any = SimpleNamespace(device="cpu", arithmetic="float32")
    assert 1e8 < product_rate(here) < 1e14
