"""In which order rows are trained on: the longest first, then shuffled anew in each epoch.

The first two optimizer steps take the longest rows, so that a training whose memory does not
suffice fails in its first minute and not in its last hour (unslothai/unsloth#1624). Two, because
the optimizer's own state is there from the second step on. All else is a permutation by seed and
epoch: the same after a kill and in every process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

PROBE_STEPS: Final = 2


def epoch_order(
    lengths: Sequence[int] | npt.NDArray[np.int64],
    batch_size: int,
    longest_first: bool,
    seed: int,
    epoch: int,
) -> list[int]:
    """Indices of all rows in the order of one epoch.

    Args:
        lengths: tokens of each row.
        batch_size: rows of an optimizer step.
    """
    shuffled = np.random.default_rng((seed % (1 << 32), epoch)).permutation(len(lengths))
    if epoch or not longest_first:
        return [int(index) for index in shuffled]
    longest = np.argsort(-np.asarray(lengths), kind="stable")[: PROBE_STEPS * batch_size]
    rest = shuffled[~np.isin(shuffled, longest)]
    return [int(index) for index in (*longest, *rest)]


def useful_share(lengths: Sequence[int] | npt.NDArray[np.int64], micro_batch: int) -> float:
    """Share of places that hold a token where rows are padded to the longest of their batch.

    Args:
        lengths: tokens of each row, in the order of training.
    """
    chunks = [lengths[at : at + micro_batch] for at in range(0, len(lengths), micro_batch)]
    return float(sum(lengths)) / float(sum(len(chunk) * max(chunk) for chunk in chunks))


def in_order(trainer_class: Any, *, longest_first: bool) -> Any:
    """A trl trainer class that takes its rows in this order.

    transformers hands the epoch to a sampler through accelerate, which loses it on the way when a
    training goes on from a checkpoint in several processes (`BatchSamplerShard` below
    `SkipBatchSampler`; accelerate 1.15). So the sampler asks the trainer.
    """
    from torch.utils.data import Sampler

    class Order(Sampler):  # type: ignore[misc]  # torch has no types here
        """Indices of one epoch after another."""

        def __init__(self, trainer: Any, lengths: npt.NDArray[np.int64]) -> None:
            self.trainer = trainer
            self.lengths = lengths

        def __len__(self) -> int:
            return len(self.lengths)

        def __iter__(self) -> Iterator[int]:
            args, epoch = self.trainer.args, int(self.trainer.state.epoch or 0)
            batch_size = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
            yield from epoch_order(self.lengths, batch_size, longest_first, args.seed, epoch)

    class Ordered(trainer_class):  # type: ignore[misc]
        """The trainer, with its rows in order."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return Order(self, token_counts(train_dataset or self.train_dataset))

    return Ordered


def token_counts(dataset: Any) -> npt.NDArray[np.int64]:
    """Tokens of each row of a `datasets.Dataset` with `input_ids`."""
    import pyarrow.compute as pc

    counts = pc.list_value_length(dataset.data.table["input_ids"])
    return np.asarray(counts.to_numpy(), dtype=np.int64)
