"""A finished step as `why` looks at it: its files as lazy frames, opened once, and its config.

Opening a hundred shards takes longer than searching one column of a million rows in them, so each
folder is opened once and scanned with the predicate pushed down. Nothing is read before it is
asked for. What the rows mean is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..pipeline.artifact import Artifact
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .rows import scan

FILE: Final = "__file__"
ROW: Final = "__row__"
"""Columns beside those of the rows: the shard, and the place in the data, from 1."""


@dataclass(frozen=True, eq=False)
class Step:
    """One artifact."""

    artifact: Artifact

    @property
    def name(self) -> str:
        """As the recipe calls it; `step/part` for what lies below an artifact."""
        return self.artifact.step

    @property
    def run(self) -> Path:
        """The folder of its recipe."""
        return self.artifact.path.parents[self.name.count("/")]

    @property
    def label(self) -> str:
        """`recipe/step`, as `inspect` takes it."""
        return f"{self.run.name}/{self.name}"

    @property
    def kind(self) -> str:
        return self.artifact.kind

    @property
    def config(self) -> Mapping[str, Any]:
        """What the recipe says of it; empty where the manifest has none."""
        config: Mapping[str, Any] = self.artifact.manifest["identity"].get("config", {})
        return config

    @property
    def inputs(self) -> Mapping[str, str]:
        """Addresses of what it was made from, by the name of the step."""
        inputs: Mapping[str, str] = self.artifact.manifest["identity"].get("inputs", {})
        return inputs

    @cached_property
    def samples(self) -> pl.LazyFrame | None:
        """Its rows with `FILE` and `ROW`; None where they are no samples."""
        frame = frame_of(shard_files(self.artifact.path))
        known = frame is not None and {"id", "prompt_id"} <= set(frame.collect_schema().names())
        return frame if known else None

    @cached_property
    def sets(self) -> dict[str, VerdictSet]:
        """The verdicts it published, by filter."""
        return read_verdict_sets(self.artifact.path)

    def aside(self, folder: str) -> pl.LazyFrame | None:
        """Rows of a folder below it (`left_out`, `tokens`…); None where there is no such folder."""
        return frame_of(shard_files(self.artifact.path / folder))

    def where(self) -> dict[str, Any]:
        """How an event names it."""
        path = str(self.artifact.path.absolute())
        return {"step": self.label, "kind": self.kind, "path": path}

    def input(self, name: str | None, steps: Iterable[Step]) -> Step | None:
        """The artifact among `steps` that it read as `name`; None where it is not there any more,
        or was built anew since."""
        address = self.inputs.get(name or "")
        return next(
            (
                step
                for step in steps
                if step.name == name and step.artifact.address == address and step.run == self.run
            ),
            None,
        )


def in_order(artifacts: Iterable[Artifact]) -> list[Step]:
    """Steps after what they were made from, otherwise as given: files that were copied to another
    disk have lost the times at which they were finished."""
    steps = [Step(artifact) for artifact in artifacts]
    ordered: dict[Step, None] = {}

    def visit(step: Step) -> None:
        if step not in ordered:
            for before in (step.input(name, steps) for name in step.inputs):
                if before is not None:
                    visit(before)
            ordered[step] = None

    for step in steps:
        visit(step)
    return list(ordered)


def frame_of(files: Sequence[Path]) -> pl.LazyFrame | None:
    """The shards of one folder, whose columns are the same by construction; None without any."""
    if not files:
        return None
    scan(files[:1])  # says what is wrong with a file that is no parquet
    frame = pl.scan_parquet(list(files), glob=False, include_file_paths=FILE)
    return frame.with_row_index(ROW, offset=1)


def matching(frame: pl.LazyFrame, condition: pl.Expr, columns: Iterable[str]) -> pl.DataFrame:
    """Some columns of the rows for which the condition holds, in their order."""
    found = frame.filter(condition).select(ROW, *columns).collect(engine="streaming")
    return found.sort(ROW)


def whole_rows(step: Step, column: str, values: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows with one of these values, in their order.

    Their shards are found first, so that texts are read from these alone: to search all shards and
    their texts at once takes ten times as long.
    """
    if step.samples is not None:
        wanted = pl.col(column).is_in(list(values))
        files = matching(step.samples, wanted, (FILE,))[FILE].unique(maintain_order=True)
        for file in files:
            yield from (
                pl.scan_parquet(file, glob=False).filter(wanted).collect().iter_rows(named=True)
            )
