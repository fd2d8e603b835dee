"""In which order problems are asked: shuffled anew in each epoch, the same after a kill.

trl's own sampler draws each epoch's order from a generator that starts again when a training goes
on from a checkpoint (trl 1.16, `RepeatSampler`), so it would repeat the first epoch; and it leaves
out the problems that do not fill a generation. Here the order is a function of seed and epoch, and
the last generation of an epoch is filled from the epoch's beginning.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any


class ProblemOrder:
    """Row numbers as trl wants them: a generation's problems, each `num_generations` times in a
    row, and that again for every micro-batch that is trained on them."""

    def __init__(self, trainer: Any, problems: int) -> None:
        args = trainer.args
        self._trainer = trainer
        self._problems = problems
        self._together = args.generation_batch_size // args.num_generations
        self._completions = args.num_generations
        self._repeats = args.num_iterations * args.steps_per_generation

    def __len__(self) -> int:
        generations = -(-self._problems // self._together)
        return int(generations * self._together * self._completions * self._repeats)

    def __iter__(self) -> Iterator[int]:
        # accelerate loses the epoch on the way to a sampler when it skips batches in several
        # processes (1.15), so the trainer is asked.
        order = problem_order(
            self._problems,
            self._together,
            self._trainer.args.seed,
            int(self._trainer.state.epoch or 0),
        )
        for at in range(0, len(order), self._together):
            for _ in range(self._repeats):
                for row in order[at : at + self._together]:
                    yield from [row] * self._completions


def problem_order(problems: int, together: int, seed: int, epoch: int) -> list[int]:
    """Every problem once in an order by seed and epoch, and some again to fill a generation."""
    order = shuffled(problems, seed, epoch)
    return [order[at % problems] for at in range(-(-problems // together) * together)]


def shuffled(count: int, *seeds: int) -> list[int]:
    """The numbers below `count` in an order that is a function of the seeds."""
    order = list(range(count))
    random.Random(" ".join(map(str, seeds))).shuffle(order)
    return order
