"""Real optimizer steps on a few of the rows, timed: nothing of them is kept.

The trainer is the one that would train, on the same weights, without evaluation, trackers and
checkpoints.
"""

from __future__ import annotations

import math
import time
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

from ..running.bench import Bench
from .subject import Subject

TRIAL_BATCHES: Final = 4


def timed_steps(subject: Subject) -> list[float]:
    """Seconds of steps on rows spread over all of the data.

    These rows are trained on twice and the second time counts: the first warms up, and it may have
    the longest rows first.
    """
    stage, context = subject.stage, subject.context
    rows = _spread(subject.prepared.table, TRIAL_BATCHES * stage.batch_size)
    batches = math.ceil(rows.num_rows / stage.batch_size)
    quiet = {"evaluate": None, "keep": "last", "trackers": (), "max_steps": 2 * batches}
    short = stage.model_copy(update=quiet)
    scratch = context.state / "trial"
    bench = Bench(short, context, subject.student, subject.numerics, rows, scratch, main=True)
    with short.open_trainer(bench) as trainer:
        return _timed(trainer)[batches:]


def _timed(trainer: Any) -> list[float]:
    """Train to the end; seconds of each step."""
    from transformers import PrinterCallback, TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Notes when the training begins and when steps end."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def on_train_begin(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            self.times.append(time.perf_counter())

        def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            self.times.append(time.perf_counter())

    clock = Clock()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.train()
    return [after - before for before, after in pairwise(clock.times)]


def _spread(rows: pa.Table, count: int) -> pa.Table:
    """At most `count` rows at equal distances."""
    if rows.num_rows <= count:
        return rows
    return rows.take([index * rows.num_rows // count for index in range(count)])
