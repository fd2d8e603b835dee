"""A path opened to be looked at: a finished step with its rows and verdicts, or files as they are.

The rows of a step are its shards, of an export its data files. A step that judges holds no rows of
its own: the samples that it judged are its rows, or their ids where these are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..pipeline.artifact import MANIFEST, Artifact
from ..pipeline.errors import RequestError
from ..pipeline.lineage import digest_of_samples, open_beside, upstream
from ..pipeline.shards import shard_files
from ..pipeline.suggest import listed
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .conditions import rows_where
from .family import verdict_sets
from .rows import Rows, lazy_rows, parquet_rows, scan, with_verdicts
from .sources import open_source, shard_facts

EXPORTED = "data"
"""Folder of an export that holds its rows."""


@dataclass(frozen=True)
class Dataset:
    """What was found at a path."""

    path: Path
    artifact: Artifact | None
    own: Rows | None
    """The rows that lie there; None for a step that holds none."""
    shards: list[dict[str, Any]]
    """Files of the rows: `path`, `bytes` and, where it is known, `rows`."""
    kind: str = "parquet"
    passed_over: list[Path] = field(default_factory=list)

    def rows(self) -> Rows:
        """Its own rows, or those that it judged.

        Raises:
            RequestError: there are none.
        """
        return self.own if self.own is not None else _judged_rows(self.artifact)

    def verdicts(self, rows: Rows) -> dict[str, VerdictSet]:
        """The verdicts on its rows, by filter."""
        judged = self.artifact is not None and "id" in rows.columns()
        return verdict_sets(self.artifact) if judged and self.artifact else {}


def open_dataset(path: Path, whole: bool) -> Dataset:
    """Open a step's folder, a file or a folder of files.

    Args:
        whole: all rows; otherwise long text files are read in part.

    Raises:
        RequestError: the path, or a file, is not what it should be.
        StepFailed: the step's files are damaged.
    """
    path = path.absolute()
    artifact = open_beside(path) if path.is_dir() else None
    folder = path
    if artifact is not None:
        shards = shard_files(path)
        folder = path / EXPORTED
        if shards or not folder.is_dir():
            own = parquet_rows(shards) if shards else None
            return Dataset(path, artifact, own, shard_facts(shards, own) if own else [])
    source = open_source(folder, whole)
    return Dataset(path, artifact, source.rows, source.shards(), source.kind, source.passed_over)


def search(
    rows: Rows, sets: dict[str, VerdictSet], where: str | None, prefix: str | None
) -> Sequence[int]:
    """Numbers of the rows that fulfil the condition and whose id begins with the prefix.

    Raises:
        RequestError: the condition or id is wrong.
    """
    numbers: Sequence[int] | None = None
    if where is not None:
        judged = Rows(judged_frame(rows.frame, sets, where), rows.fetch, rows.total)
        numbers = rows_where(judged, where, all_columns(rows, sets))
    if prefix is not None:
        if not prefix:
            raise RequestError("--id is empty: expected an id, or how one begins")
        with_id = _with_id(rows, prefix)
        numbers = with_id if numbers is None else sorted(set(numbers) & set(with_id))
    return range(rows.total or 0) if numbers is None else numbers


def judged_frame(frame: pl.LazyFrame, sets: Mapping[str, VerdictSet], asked: str) -> pl.LazyFrame:
    """The frame with the scores and reasons of the filters that a condition or column names."""
    return with_verdicts(frame, {name: one for name, one in sets.items() if f"{name}_" in asked})


def all_columns(rows: Rows, sets: dict[str, VerdictSet]) -> list[str]:
    """Names that `--where` and `--columns` may use."""
    return [*rows.columns(), *(f"{name}_{part}" for name in sets for part in ("score", "reason"))]


def _with_id(rows: Rows, prefix: str) -> Sequence[int]:
    schema = rows.columns()
    columns = [name for name in ("id", "prompt_id") if schema.get(name) == "String"]
    if not columns:
        raise RequestError(
            f"--id {prefix}: the rows have no text column id or prompt_id; "
            f"columns: {listed(schema)}"
        )
    begins = [pl.col(name).str.starts_with(prefix) for name in columns]
    numbers = rows.matching(pl.any_horizontal(begins))
    if not numbers:
        raise RequestError(f"--id {prefix}: no id or prompt_id of these rows begins with it")
    return numbers


def _judged_rows(artifact: Artifact | None) -> Rows:
    assert artifact is not None, "files without a manifest are rows of their own"
    own = read_verdict_sets(artifact.path)
    if not own:
        raise RequestError(
            f"{artifact.path} holds no rows to look at: step {artifact.step!r} is of kind "
            f"{artifact.kind!r}. Name it alone to see its files ({MANIFEST} lists them)."
        )
    judged = {found.about["samples"] for found in own.values()}
    for member in upstream(artifact):
        if digest_of_samples(member) in judged:
            return parquet_rows(shard_files(member.path))
    return lazy_rows(scan(shard_files(next(iter(own.values())).path)).select("id"))
