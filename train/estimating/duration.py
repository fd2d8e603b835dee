"""How long a training takes: measured where it is quick, else operations by a measured rate.

A few real steps say most, everything included, and a small model has done them in seconds: they
run in a scratch folder and nothing of them is kept. For a large model the operations that torch
counts on its skeleton are divided by the rate of a matrix product measured on this very device. A
training reaches a part of that rate (`SHARES`), so the answer is an interval. Nothing is looked up
in tables of devices. Loading, checkpoints and evaluation come on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .rates import product_rate
from .subject import Subject
from .trial import TRIAL_BATCHES, timed_steps

TRIAL_SECONDS: Final = 10.0
"""Steps are tried if they are expected to take no longer."""
SHARES: Final = (0.2, 0.4, 0.8)
"""Parts of a matrix product's rate that trainings reach: least, expected, most."""


@dataclass(frozen=True)
class Duration:
    """Seconds of all optimizer steps; None is unknown."""

    seconds: float | None
    low: float | None
    high: float | None
    basis: str
    """What the numbers come from, or why there are none."""


def duration_of(subject: Subject, fits: bool) -> Duration:
    """Time of all optimizer steps.

    Args:
        fits: whether the memory suffices, so that steps can be tried.
    """
    if subject.tokens is None or subject.lengths is None:
        return Duration(None, None, None, "how long completions get shows only while training")
    operations = _operations(subject)
    rate = product_rate(subject.numerics)
    # Whatever torch cannot count: at most all parameters take part, forward and backward.
    at_most = operations or 6.0 * subject.parameters.total
    of_a_step = at_most * subject.tokens * subject.stage.batch_size / len(subject.lengths)
    seconds = 2 * TRIAL_BATCHES * of_a_step / (rate * SHARES[1])
    if fits and subject.numerics.processes == 1 and seconds <= TRIAL_SECONDS:
        return _by_steps(timed_steps(subject), subject.steps)
    if operations is None:
        return Duration(None, None, None, "torch cannot count the operations of this model")
    devices = subject.numerics.processes if subject.numerics.device == "cuda" else 1
    return _by_rate(of_a_step * subject.steps, rate * devices)


def _operations(subject: Subject) -> float | None:
    """Operations for one token, at the mean length; None where they cannot be counted.

    The head computes its logits twice (trl, in tiles) and two gradients, or one below LoRA.
    """
    assert subject.lengths is not None
    length = max(1, round(float(np.mean(subject.lengths))))
    found = subject.traced(1, length)
    if found is None:
        return None
    again = found.forward if subject.stage.gradient_checkpointing else 0
    products = 3 if subject.stage.lora else 4
    head = products * 2 * subject.config.hidden_size * subject.config.vocab_size
    return float((found.forward + found.backward + again) / length + head)


def _by_rate(operations: float, rate: float) -> Duration:
    most, expected, least = (operations / (rate * share) for share in SHARES)
    basis = (
        f"{operations:.2g} operations at {SHARES[0]:.0%} to {SHARES[-1]:.0%} of the rate of a "
        f"matrix product here ({rate / 1e12:.2g} TFLOP/s)"
    )
    return Duration(expected, least, most, basis)


def _by_steps(seconds: Sequence[float], steps: int) -> Duration:
    mean = math.fsum(seconds) / len(seconds)
    basis = f"{len(seconds)} steps measured here"
    return Duration(mean * steps, min(seconds) * steps, max(seconds) * steps, basis)
