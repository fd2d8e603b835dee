"""Writing the `data/` of an export: shard by shard from the steps it is made of, into splits.

Memory: one shard of samples and one file's rows for each split, and 8 bytes for each problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...pipeline.artifact import Artifact
from ...pipeline.fingerprint import digest_file
from ...pipeline.shards import read_table, shard_files
from ...pipeline.stage import Context
from .contents import Contents
from .files import Format, SplitFiles
from .forms import Form
from .splits import Account, Cut, count_splits


@dataclass(frozen=True)
class DataFile:
    """One file of an export."""

    name: str
    """Below the export, with /."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Folder:
    """What was written."""

    account: Account
    num_bytes: Mapping[str, int]
    """Of the rows in memory, by split: what the hub calls num_bytes."""
    contents: dict[str, Any]
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        return sum(self.account.rows.values())

    def splits(self) -> dict[str, dict[str, int]]:
        """By split, as JSON values."""
        return {
            name: {
                "rows": self.account.rows[name],
                "problems": self.account.problems[name],
                "num_bytes": self.num_bytes[name],
            }
            for name in self.account.rows
        }


def write_folder(
    sources: Mapping[str, Artifact], form: Form, cut: Cut, format_: Format, context: Context
) -> Folder:
    """Write `data/`.

    Args:
        sources: samples by split; of a cut only those of `train`.

    Raises:
        RequestError: a split would be empty, or a row does not fit the form.
    """
    account = count_splits(sources, cut, form.of_pairs)
    for splits, count in account.shared.items():
        context.progress.note(f"problems in both {splits}: {count:,}")
    data = context.out / "data"
    files = {name: SplitFiles(data, name, format_, rows) for name, rows in account.rows.items()}
    contents = Contents()
    for split, shard in _shards(sources, context):
        contents.add(shard)
        for name, rows in _parted(form.rows(shard), split, cut).items():
            files[name].put(rows)
    for each in files.values():
        each.close()
    num_bytes = {name: each.num_bytes for name, each in files.items()}
    names = [name for each in files.values() for name in each.names]
    found = tuple(_data_file(data / name) for name in names)
    return Folder(account, num_bytes, contents.facts(), found)


def _shards(sources: Mapping[str, Artifact], context: Context) -> Iterator[tuple[str, pa.Table]]:
    done, total = 0, sum(artifact.rows or 0 for artifact in sources.values())
    for split, artifact in sources.items():
        for file in shard_files(artifact.path):
            shard = read_table(file)
            yield split, shard
            done += shard.num_rows
            context.progress.update(done, total)


def _parted(rows: pa.Table, split: str, cut: Cut) -> dict[str, pa.Table]:
    """The rows of a shard by the split that they go to."""
    if not cut.shares:
        return {split: rows}
    splits = cut.of(pl.Series(rows.column("prompt_id")))
    return {name: rows.filter((splits == name).to_arrow()) for name in (split, *cut.shares)}


def _data_file(path: Path) -> DataFile:
    return DataFile(f"data/{path.name}", path.stat().st_size, digest_file(path))
