"""`inspect`: what lies in one artifact or file, as facts; `show_inspection.py` draws them.

An artifact gives its shards, columns, metrics, verdicts and what was rejected; any parquet or
JSONL file its rows and columns. `where` is one SQL condition over the columns, with
`<filter>_score` and `<filter>_reason` beside them where the rows were judged; `sample` picks rows
by a fixed seed, so the same look shows the same rows. Rows come whole, with their verdicts. A
step that judges holds no rows of its own: the samples it judged are shown. Read-only.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ..pipeline.artifact import MANIFEST, Artifact
from ..pipeline.errors import RequestError
from ..pipeline.lineage import digest_of_samples, open_beside, upstream
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet, read_verdict_sets
from .describe import Inspection, by_reason, describe
from .family import verdict_sets, verdicts_on
from .rows import Rows, file_rows, lazy_rows, rows_where, scan, with_verdicts
from .show_inspection import show_inspection

__all__ = ["Inspection", "inspect", "show_inspection"]

SEED = 20_250_120
"""Seed of `sample`; fixed, so that two people who look see the same rows."""
NUM_SHOWN = 5
"""Rows shown by `where` without `sample`."""
MAX_SHOWN_BY_ID = 20


def inspect(
    path: Path,
    where: str | None = None,
    sample: int | None = None,
    rejected: bool = False,
    id: str | None = None,
) -> Inspection:
    """Look at an artifact's directory or at a parquet or JSONL file.

    Args:
        where: a SQL condition; its matches are counted and, without `sample`, five are shown.
        sample: how many rows to show.
        rejected: add examples of what was left out, quarantined or failed.
        id: show the rows whose id or prompt_id begins with this.

    Raises:
        RequestError: the path, condition, id or number is wrong.
        StepFailed: the artifact is damaged.
    """
    if sample is not None and sample < 1:
        raise RequestError(f"--sample {sample}: expected a number of rows from 1 on")
    path = path.absolute()
    asks = where is not None or sample is not None or id is not None
    if not path.is_dir():
        return _inspect_file(path, where, sample, rejected, id)
    artifact = open_beside(path)
    if artifact is None:
        raise RequestError(
            f"{path} has no {MANIFEST}: it is no finished artifact. Run its recipe to the end, or "
            f"name a parquet or JSONL file{_some_files(path)}."
        )
    found = describe(artifact, with_examples=rejected)
    if asks:
        rows = _rows_of(artifact)
        sets = verdict_sets(artifact) if "id" in rows.columns() else {}
        wanted = [name for name in sets if where and f"{name}_" in where]
        judged = with_verdicts(rows.frame, {name: sets[name] for name in wanted})
        searched = Rows(judged, rows.fetch)
        names = [*rows.columns(), *(f"{name}_{part}" for name in sets for part in _PARTS)]
        _choose(found, searched, names, where, sample, id)
        _add_verdicts(found, sets)
    return found


_PARTS = ("score", "reason")


def _inspect_file(
    path: Path, where: str | None, sample: int | None, rejected: bool, id: str | None
) -> Inspection:
    rows = file_rows(path)
    found = Inspection(str(path), "file", columns=rows.columns())
    found.rows = len(rows.matching(None))
    found.shards = [{"path": str(path), "rows": found.rows, "bytes": path.stat().st_size}]
    if rows.broken:
        broken = pl.LazyFrame(rows.broken)
        found.rejected = {"broken": by_reason(broken, with_examples=rejected)}
    if where is not None or sample is not None or id is not None:
        _choose(found, rows, list(found.columns), where, sample, id)
    return found


def _rows_of(artifact: Artifact) -> Rows:
    """The artifact's samples; for a step that judges, the samples it judged, or their ids."""
    shards = shard_files(artifact.path)
    own = read_verdict_sets(artifact.path)
    if not shards and own:
        judged = {found.about["samples"] for found in own.values()}
        of = [member for member in upstream(artifact) if digest_of_samples(member) in judged]
        if not of:
            ids = scan(shard_files(next(iter(own.values())).path)).select("id")
            return lazy_rows(ids)
        shards = shard_files(of[0].path)
    if not shards:
        raise RequestError(
            f"{artifact.path} holds no rows to look at: step {artifact.step!r} is of kind "
            f"{artifact.kind!r}. Leave --where, --sample and --id out to see its files."
        )
    return lazy_rows(scan(shards))


def _choose(
    found: Inspection,
    rows: Rows,
    names: Sequence[str],
    where: str | None,
    sample: int | None,
    id: str | None,
) -> None:
    """Fill `matched` and `samples`: rows by condition and id, then some of them by the seed."""
    numbers = rows.matching(None) if where is None else rows_where(rows, where, names)
    if id is not None:
        numbers = sorted(set(numbers) & set(_with_id(rows, id)))
    if where is not None or id is not None:
        found.matched = len(numbers)
    limit = sample or (NUM_SHOWN if id is None else MAX_SHOWN_BY_ID)
    if len(numbers) > limit:
        numbers = sorted(random.Random(SEED).sample(numbers, limit))
    found.samples = [{"row": row, "verdicts": {}} for row in rows.fetch(numbers)]


def _with_id(rows: Rows, prefix: str) -> list[int]:
    schema = rows.columns()
    columns = [name for name in ("id", "prompt_id") if schema.get(name) == "String"]
    if not columns:
        raise RequestError(
            f"--id {prefix}: the rows have no text column id or prompt_id; "
            f"columns: {', '.join(schema)}"
        )
    begins = [pl.col(name).str.starts_with(prefix) for name in columns]
    numbers = rows.matching(pl.any_horizontal(begins))
    if not numbers:
        raise RequestError(f"--id {prefix}: no id or prompt_id of these rows begins with it")
    return numbers


def _add_verdicts(found: Inspection, sets: Mapping[str, VerdictSet]) -> None:
    samples = (found.samples or []) if sets else []
    verdicts = verdicts_on(sets, (sample["row"]["id"] for sample in samples))
    for sample in samples:
        sample["verdicts"] = verdicts[sample["row"]["id"]]


def _some_files(folder: Path) -> str:
    files = sorted([*folder.glob("*.parquet"), *folder.glob("*.jsonl")])[:3]
    return f" such as {', '.join(map(str, files))}" if files else ""
