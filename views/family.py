"""What belongs to an artifact's samples: their verdicts, their texts, and what was set aside.

Verdicts are found by the digest of the samples they judge, whichever step published them. What an
artifact was made from is `pipeline/lineage.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..pipeline.artifact import MANIFEST, Artifact
from ..pipeline.clocks import oldest_first
from ..pipeline.lineage import digest_of_samples, upstream
from ..pipeline.shards import shard_files
from ..pipeline.verdict import Verdict
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .rows import scan

REJECTED = ("left_out", "quarantine", "failed")
"""Folders of an artifact that hold what did not become a row, each row with its reason."""


def verdict_sets(artifact: Artifact) -> dict[str, VerdictSet]:
    """Verdicts on the artifact's samples, or on those they came from, by filter name.

    Sets of its own come first, then those of what it was made from, then those of other steps of
    the same run, the latest first.
    """
    family = [artifact, *upstream(artifact)]
    judged = {digest_of_samples(member) for member in family}
    folders = [member.path for member in family]
    others = reversed(oldest_first(artifact.path.parent.glob(f"*/{MANIFEST}")))
    folders += [file.parent for file in others if file.parent not in folders]
    found = read_verdict_sets(artifact.path)
    for folder in folders[1:]:
        for name, verdicts in read_verdict_sets(folder).items():
            if verdicts.about["samples"] in judged:
                found.setdefault(name, verdicts)
    return found


def verdicts_on(
    sets: Mapping[str, VerdictSet], ids: Iterable[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """By sample id and filter: `score`, `reason` and `evidence`, as JSON values."""
    wanted = sorted(set(ids))
    found: dict[str, dict[str, dict[str, Any]]] = {sample_id: {} for sample_id in wanted}
    for name, verdicts in sets.items():
        frame = scan(shard_files(verdicts.path)).filter(pl.col("id").is_in(wanted))
        for row in frame.collect().iter_rows(named=True):
            verdict = Verdict.from_row(row)
            found[row["id"]][name] = {
                "score": verdict.score,
                "reason": verdict.reason,
                "evidence": dict(verdict.evidence),
            }
    return found


def sample_shards(artifact: Artifact) -> list[Path]:
    """The shards of an artifact whose rows are samples; none where they are of another shape."""
    files = shard_files(artifact.path)
    names = scan(files).collect_schema().names() if files else []
    return files if {"id", "prompt_id"} <= set(names) else []


def samples_by_id(artifacts: Iterable[Artifact], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Whole rows by id, from the first artifact that holds each."""
    found: dict[str, dict[str, Any]] = {}
    for artifact in artifacts:
        missing = [sample_id for sample_id in ids if sample_id not in found]
        files = sample_shards(artifact)
        if missing and files:
            frame = scan(files).filter(pl.col("id").is_in(missing))
            for row in frame.collect().to_dicts():
                found.setdefault(row["id"], row)
    return found


def rejected_frame(artifact: Artifact, folder: str) -> pl.LazyFrame | None:
    """Rows of `left_out/`, `quarantine/` or `failed/`; None where the step has no such folder."""
    files = shard_files(artifact.path / folder)
    return scan(files) if files else None
