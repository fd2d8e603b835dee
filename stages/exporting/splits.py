"""Which split a row belongs to: a step of its own for each, or shares cut by problem.

A problem's lot is a function of its id and the seed alone (mixing/lots.py), so no problem stands
on both sides of a cut, and more rows, other shards or another order move none. A share is
therefore met about, not exactly: of 10,000 problems 1 % is 100, give or take 10. Where splits are
steps of their own, problems that stand in two of them are counted and told.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ...pipeline.artifact import Artifact
from ...pipeline.errors import RequestError
from ...pipeline.pairs import CHOSEN
from ...pipeline.shards import read_table, shard_files
from ..mixing.lots import ID, ids_as_numbers, lot

TRAIN: Final = "train"


@dataclass(frozen=True)
class Cut:
    """Shares of the problems that go to other splits than train; together less than 1."""

    shares: Mapping[str, float]
    seed: int

    def of(self, problems: pl.Series) -> pl.Series:
        """The split of each row, by its `prompt_id`."""
        lots = lot(self.seed, "split", pl.lit(0))
        split, below = pl.lit(TRAIN), sum(self.shares.values())
        for name, share in reversed(list(self.shares.items())):
            limit = pl.lit(int(below * 2**64), dtype=pl.UInt64)
            split = pl.when(lots < limit).then(pl.lit(name)).otherwise(split)
            below -= share
        frame = ids_as_numbers(problems).alias(ID).to_frame()
        return frame.select(split.alias("split")).to_series()


@dataclass(frozen=True)
class Account:
    """How many rows and problems each split will hold."""

    rows: Mapping[str, int]
    problems: Mapping[str, int]
    shared: Mapping[str, int]
    """Problems in two splits at once, as `train and test`; only those that there are."""


def count_splits(sources: Mapping[str, Artifact], cut: Cut, one_of_two: bool) -> Account:
    """Read the problems' ids alone and count.

    Args:
        sources: by split; of a cut only `train`.
        one_of_two: two rows become one, as of preference pairs.

    Raises:
        RequestError: a split would hold nothing.
    """
    found: dict[str, list[pl.Series]] = {name: [] for name in (*sources, *cut.shares)}
    for name, artifact in sources.items():
        for file in shard_files(artifact.path):
            for split, part in _parts(_problems(file, one_of_two), name, cut).items():
                found[split].append(ids_as_numbers(part))
    all_ids = {name: pl.concat(parts) if parts else pl.Series() for name, parts in found.items()}
    for name, ids in all_ids.items():
        _refuse_empty(name, ids, sources, cut)
    distinct = {name: ids.unique() for name, ids in all_ids.items()}
    shared = {
        f"{one} and {other}": int(distinct[one].is_in(distinct[other].implode()).sum())
        for one, other in itertools.combinations(distinct, 2)
    }
    return Account(
        {name: len(ids) for name, ids in all_ids.items()},
        {name: len(ids) for name, ids in distinct.items()},
        {name: count for name, count in shared.items() if count},
    )


def _problems(file: Path, one_of_two: bool) -> pl.Series:
    rows = pl.DataFrame(read_table(file, ["prompt_id", *(["side"] if one_of_two else [])]))
    return (rows.filter(pl.col("side") == CHOSEN) if one_of_two else rows)["prompt_id"]


def _parts(problems: pl.Series, name: str, cut: Cut) -> dict[str, pl.Series]:
    if not cut.shares:
        return {name: problems}
    splits = cut.of(problems)
    return {split: problems.filter(splits == split) for split in (TRAIN, *cut.shares)}


def _refuse_empty(name: str, ids: pl.Series, sources: Mapping[str, Artifact], cut: Cut) -> None:
    if len(ids):
        return
    if name in cut.shares:
        raise RequestError(
            f"{name}: {cut.shares[name]:g} is not one problem of this dataset. Ask for a larger "
            f"share, choose another seed, or give the split a step of its own with splits:"
        )
    source = sources[name]
    why = "all problems went to other splits" if cut.shares else "there is nothing to export"
    raise RequestError(f"step {source.step!r} gives the split {name} no row: {why}")
