"""What there is to say of a dataset before anyone asks for rows: the facts of `inspect`.

Shards, other files, columns, metrics, figures of the columns, verdicts by filter and what was
rejected by reason. All of it comes from the manifest, parquet footers and short columns; texts
are read for a sample of the rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ..pipeline.artifact import Artifact
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .dataset import Dataset
from .histograms import score_figures
from .profile import profile
from .rejected import broken_lines, rejected_counts
from .rows import Rows, scan


@dataclass
class Inspection:
    """What was found. Paths are absolute; None is unknown or does not apply."""

    path: str
    what: str
    """`artifact` or `files`."""
    rows: int | None = None
    read: int | None = None
    """Rows of a long text file that were read, where it was not read to its end."""
    columns: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """Of an artifact: step, kind, address, inputs (addresses by step), and `hashed`: whether the
    sha256 of all its files is known to be right, or only their sizes."""
    shards: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    """The artifact's other files."""
    passed_over: list[str] = field(default_factory=list)
    """Files in a folder that are not part of its rows."""
    metrics: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    """Histograms and counts of the columns: see `profile`."""
    in_full: bool = False
    """A few columns were named: their histograms are drawn bin by bin."""
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By filter: rows, reasons with counts, and its `score_figures`."""
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By left_out, quarantine, failed or broken: rows, reasons with counts; if asked for with
    examples, and by the values of a column."""
    only_rejected: bool = False
    """What was left out was asked for, and nothing else."""
    matched: int | None = None
    """How many rows `where` or `id` found."""
    samples: list[dict[str, Any]] | None = None
    """Rows asked for: `row`, whole or the columns asked for, and its `verdicts` by filter."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def head_of(data: Dataset) -> Inspection:
    """What a dataset is and how many rows it has."""
    found = Inspection(str(data.path), "files" if data.artifact is None else "artifact")
    found.shards = data.shards
    found.passed_over = [str(file) for file in data.passed_over]
    if data.own is not None:
        found.columns = data.own.columns()
        found.rows = data.own.total
        found.rejected = broken_lines(data.own.broken, None, None, 0)
        if found.rows is None:
            found.read = int(data.own.frame.select(pl.len()).collect().item())
    if data.artifact is not None:
        found.about = _about(data.artifact)
    return found


def describe(data: Dataset) -> Inspection:
    """The facts of a dataset that need no look at its rows."""
    found = head_of(data)
    artifact = data.artifact
    if artifact is not None:
        shown = {shard["path"] for shard in data.shards}
        found.files = [
            {"path": str(artifact.path / name), "bytes": entry["bytes"]}
            for name, entry in artifact.manifest["files"].items()
            if str(artifact.path / name) not in shown
        ]
        found.metrics = artifact.metrics
        sets = read_verdict_sets(artifact.path)
        found.verdicts = {name: _verdict_facts(verdicts) for name, verdicts in sets.items()}
        found.rejected |= rejected_counts(artifact)
    return found


def add_profile(found: Inspection, rows: Rows, columns: Sequence[str] | None) -> None:
    """Add the figures of all columns of the rows, or of those named."""
    if rows.total != 0 and rows.frame.collect_schema():
        found.profile = profile(rows, columns)
        found.in_full = columns is not None


def _about(artifact: Artifact) -> dict[str, Any]:
    return {
        "step": artifact.step,
        "kind": artifact.kind,
        "address": artifact.address,
        "inputs": dict(artifact.manifest["identity"].get("inputs", {})),
        "hashed": artifact.hashed,
    }


def _verdict_facts(found: VerdictSet) -> dict[str, Any]:
    common = sorted(found.reasons.items(), key=lambda item: (-item[1], item[0]))
    figures = score_figures(scan(shard_files(found.path)))
    return {"rows": found.rows, "reasons": dict(common), **figures}
