"""What there is to say of an artifact before anyone asks for rows: the facts of `inspect`.

Shards, other files, columns, metrics, verdicts by filter and what was rejected by reason. All of
it comes from the manifest, parquet footers and small columns; text is read for examples only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from ..pipeline.artifact import Artifact
from ..pipeline.lineage import upstream
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .family import REJECTED, rejected_frame, samples_by_id
from .rows import parquet_rows, scan

NUM_EXAMPLES = 3
"""Examples of each reason under `rejected`."""


@dataclass
class Inspection:
    """What was found. Paths are absolute; None is unknown or does not apply."""

    path: str
    what: str
    """`artifact` or `file`."""
    rows: int | None = None
    columns: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """Of an artifact: step, kind, address, inputs (addresses by step)."""
    shards: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    """The artifact's other files."""
    metrics: dict[str, Any] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By filter: rows, mean_score (of those with a score), unknown, reasons with counts."""
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By left_out, quarantine, failed: rows, reasons with counts, examples if asked for."""
    matched: int | None = None
    """How many rows `where` or `id` found."""
    samples: list[dict[str, Any]] | None = None
    """Rows asked for: `row` whole and its `verdicts` by filter."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def describe(artifact: Artifact, with_examples: bool) -> Inspection:
    """The facts of an artifact; `with_examples` adds rejected rows, whole, with their texts."""
    shards = shard_files(artifact.path)
    top = {shard.name for shard in shards}
    manifest = artifact.manifest
    return Inspection(
        path=str(artifact.path),
        what="artifact",
        rows=artifact.rows,
        columns=parquet_rows(shards).columns() if shards else {},
        about={
            "step": artifact.step,
            "kind": artifact.kind,
            "address": artifact.address,
            "inputs": dict(manifest["identity"].get("inputs", {})),
        },
        shards=[_shard_facts(shard) for shard in shards],
        files=[
            {"path": str(artifact.path / name), "bytes": entry["bytes"]}
            for name, entry in manifest["files"].items()
            if name not in top
        ],
        metrics=artifact.metrics,
        verdicts={
            name: _verdict_facts(found) for name, found in read_verdict_sets(artifact.path).items()
        },
        rejected=rejected_facts(artifact, with_examples),
    )


def _shard_facts(shard: Path) -> dict[str, Any]:
    rows = pq.read_metadata(shard).num_rows
    return {"path": str(shard), "rows": rows, "bytes": shard.stat().st_size}


def _verdict_facts(found: VerdictSet) -> dict[str, Any]:
    score = pl.col("score")
    summary = scan(shard_files(found.path)).select(
        score.mean().alias("mean_score"), score.is_null().sum().alias("unknown")
    )
    mean, unknown = summary.collect().row(0)
    common = sorted(found.reasons.items(), key=lambda item: (-item[1], item[0]))
    return {
        "rows": found.rows,
        "mean_score": mean,
        "unknown": int(unknown),
        "reasons": dict(common),
    }


def rejected_facts(artifact: Artifact, with_examples: bool) -> dict[str, dict[str, Any]]:
    """What did not become a row, by folder: `rows`, `reasons` and perhaps `examples`."""
    found = {}
    for folder in REJECTED:
        frame = rejected_frame(artifact, folder)
        if frame is not None:
            found[folder] = by_reason(frame, with_examples)
    examples = [
        row
        for entry in found.values()
        for rows in entry.get("examples", {}).values()
        for row in rows
        if row.get("id")
    ]
    if examples:  # what was left out has an id and no text: its text is with what came before
        texts = samples_by_id(upstream(artifact), [row["id"] for row in examples])
        for row in examples:
            row["sample"] = texts.get(row["id"])
    return found


def by_reason(frame: pl.LazyFrame, with_examples: bool) -> dict[str, Any]:
    """Rows with a column `reason`, counted: the most common first."""
    counts = frame.group_by("reason").len().sort(["len", "reason"], descending=[True, False])
    reasons = {str(reason): int(number) for reason, number in counts.collect().iter_rows()}
    found: dict[str, Any] = {"rows": sum(reasons.values()), "reasons": reasons}
    if with_examples:
        few = frame.group_by("reason", maintain_order=True).head(NUM_EXAMPLES).collect()
        rows = few.select(frame.collect_schema().names()).to_dicts()
        found["examples"] = {
            reason: [row for row in rows if str(row["reason"]) == reason] for reason in reasons
        }
    return found
