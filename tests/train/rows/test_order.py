"""The longest rows come first, every row comes once, and a seed says the rest."""

import numpy as np
import pytest

from potstill.train.rows.order import epoch_order, in_order, useful_share

LENGTHS = np.array([5, 9, 9, 1, 30, 2, 8, 7, 6, 4, 3, 11])


@pytest.mark.parametrize("epoch", [0, 1, 2])
@pytest.mark.parametrize("longest_first", [True, False])
def test_every_row_once(epoch: int, longest_first: bool) -> None:
    order = epoch_order(LENGTHS, 3, longest_first, 7, epoch)
    assert sorted(order) == list(range(len(LENGTHS)))
    assert order == epoch_order(LENGTHS, 3, longest_first, 7, epoch)
    probe = [30, 11, 9, 9, 8, 7]
    assert (list(LENGTHS[order[:6]]) == probe) is (longest_first and epoch == 0)


def test_seed_and_epoch_say_the_order() -> None:
    orders = {
        (seed, epoch): tuple(epoch_order(LENGTHS, 3, True, seed, epoch))
        for seed in (-1, 1, 2)
        for epoch in (0, 1)
    }
    assert len(set(orders.values())) == len(orders)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_fewer_rows_than_two_steps(rows: int) -> None:
    assert epoch_order(LENGTHS[:rows], 4, True, 7, 0) == list(np.argsort(-LENGTHS[:rows]))


def test_useful_share() -> None:
    assert useful_share([4, 4, 4], 2) == 1
    assert useful_share([1, 3, 2], 2) == 6 / (2 * 3 + 2)
    assert useful_share([1, 3, 2], 3) == 6 / 9


class Base:
    """What `in_order` needs of a trainer."""

    def __init__(self, epoch: float | None, micro_batch: int, processes: int) -> None:
        from types import SimpleNamespace

        self.state = SimpleNamespace(epoch=epoch)
        self.args = SimpleNamespace(
            train_batch_size=micro_batch,
            gradient_accumulation_steps=4 // micro_batch // processes,
            world_size=processes,
            seed=7,
        )


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("epoch", [None, 0.25, 1.0, 1.75])
def test_processes_share_the_same_order_after_a_resume_too(
    processes: int, epoch: float | None
) -> None:
    """As accelerate deals it out: batch by batch in turn, with those left out that were trained."""
    pytest.importorskip("accelerate")
    from accelerate.data_loader import BatchSamplerShard, SkipBatchSampler
    from datasets import Dataset
    from torch.utils.data import BatchSampler

    dataset = Dataset.from_dict({"input_ids": [[0] * length for length in LENGTHS]})
    skipped = round((epoch or 0) % 1 * 6 / processes)
    dealt = []
    for process in range(processes):
        trainer = in_order(Base, longest_first=True)(epoch, 2, processes)
        batches = BatchSampler(trainer._get_train_sampler(dataset), 2, False)
        share = BatchSamplerShard(batches, processes, process)
        dealt.append(list(SkipBatchSampler(share, skipped)))
    together = [row for turn in zip(*dealt, strict=True) for batch in turn for row in batch]
    whole = epoch_order(LENGTHS, 4, True, 7, int(epoch or 0))
    assert together == whole[skipped * 2 * processes :]
