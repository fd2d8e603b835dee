"""`--diff`: which rows two datasets have in common, which only one has, and what changed in them.

Rows are the same by `id` (and `copy` in a mixture); rows without ids by their whole content. The
second of two equal keys is compared with the second of the other side. Of each row two 64-bit
hashes are held (and of the changed ones a hash of each column), so memory does not grow with the
texts; whole rows are read for examples only.
Two steps that judge are compared by their scores and reasons.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from ..pipeline.shards import shard_files
from ..pipeline.suggest import listed
from ..pipeline.verdicts import read_verdict_sets
from .conditions import explained, searched
from .dataset import Dataset, judged_frame, open_dataset
from .row_hashes import CHANGED, OTHER, differing_columns, hash_rows, pair_rows
from .rows import INDEX, Rows, lazy_rows, readable, scan, type_name, with_verdicts
from .show_diff import show_diff

__all__ = ["Differences", "diff", "show_diff"]

SEED = 20_250_120
NUM_EXAMPLES = 3
"""Examples of each kind of difference, where no number is asked for."""
SIDES = ("here", "there")
KEYS = ("id", "copy")


@dataclass
class Differences:
    """How two datasets differ; `here` is the one named first."""

    here: str
    there: str
    key: list[str]
    """Columns by which rows are the same; none: by their whole content."""
    rows: dict[str, int]
    """`here`, `there`: how many rows were compared on each side."""
    columns: dict[str, dict[str, Any]]
    """Of the schema: `only_here` and `only_there` (types by name), `other_type` ([here, there])."""
    equal: int = 0
    changed: int = 0
    only_here: int = 0
    only_there: int = 0
    changed_columns: dict[str, int] = field(default_factory=dict)
    """In how many of the changed rows each column differs, the most common first."""
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """`only_here` and `only_there`: rows; `changed`: `key` and, by column, `here` and `there`."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def diff(
    path: Path, other: Path, where: str | None = None, sample: int | None = None
) -> Differences:
    """Compare the rows at `path` with those at `other`.

    Args:
        where: a SQL condition that the rows compared fulfil, on each side.
        sample: how many examples of each kind of difference; the same every time.

    Raises:
        RequestError: a path or the condition is wrong, or the two have no column in common.
        StepFailed: an artifact is damaged.
    """
    with readable(path, other):
        return _diff(path, other, where, sample)


def _diff(path: Path, other: Path, where: str | None, sample: int | None) -> Differences:
    opened = [open_dataset(each, whole=True) for each in (path, other)]
    rows = [_rows_of(each) for each in opened]
    schemas = [each.frame.collect_schema() for each in rows]
    common = [name for name, kind in schemas[0].items() if schemas[1].get(name) == kind]
    if not common:
        raise RequestError(
            f"{path} and {other} have no column of the same name and type; "
            f"columns: {listed(schemas[0])} and {listed(schemas[1])}"
        )
    key = [name for name in KEYS if name in common] if "id" in common else []
    compared = [name for name in common if name not in key]
    frames = [_filtered(data, each, where) for data, each in zip(opened, rows, strict=True)]
    with explained(f"--where {where!r}", common):
        hashed = [hash_rows(frame, key, compared) for frame in frames]
    found = Differences(
        here=str(opened[0].path),
        there=str(opened[1].path),
        key=key,
        rows={side: len(frame) for side, frame in zip(SIDES, hashed, strict=True)},
        columns=_schema_differences(*schemas),
    )
    pairs = pair_rows(*hashed)
    changed = pairs.filter(pl.col(CHANGED))
    differing = differing_columns(frames, changed, compared)
    _count(found, pairs, differing)
    _add_examples(found, pairs, differing, rows, sample or NUM_EXAMPLES)
    return found


def _rows_of(data: Dataset) -> Rows:
    """The rows that lie there; of a step that judges its scores and reasons."""
    if data.own is None and data.artifact is not None:
        sets = read_verdict_sets(data.artifact.path)
        if sets:
            ids = scan(shard_files(next(iter(sets.values())).path)).select("id")
            return lazy_rows(with_verdicts(ids, sets))
    return data.rows()


def _filtered(data: Dataset, rows: Rows, where: str | None) -> pl.LazyFrame:
    frame = rows.frame.with_row_index(INDEX)
    if where is None:
        return frame
    judged, condition = searched(judged_frame(frame, data.verdicts(rows), where), where)
    return judged.filter(condition)


def _schema_differences(here: pl.Schema, there: pl.Schema) -> dict[str, dict[str, Any]]:
    both = [name for name in here if name in there and here[name] != there[name]]
    return {
        "only_here": {n: type_name(kind) for n, kind in here.items() if n not in there},
        "only_there": {n: type_name(kind) for n, kind in there.items() if n not in here},
        "other_type": {n: [type_name(here[n]), type_name(there[n])] for n in both},
    }


def _count(found: Differences, pairs: pl.DataFrame, differing: pl.DataFrame) -> None:
    found.only_here = pairs[OTHER].null_count()
    found.only_there = pairs[INDEX].null_count()
    found.changed = len(differing)
    found.equal = len(pairs) - found.only_here - found.only_there - found.changed
    counts = {name: int(differing[name].sum()) for name in differing.columns[2:]}
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found.changed_columns = {name: rows for name, rows in common if rows}


def _add_examples(
    found: Differences,
    pairs: pl.DataFrame,
    differing: pl.DataFrame,
    rows: Sequence[Rows],
    limit: int,
) -> None:
    only_here = _some(pairs.filter(pl.col(OTHER).is_null())[INDEX], limit)
    only_there = _some(pairs.filter(pl.col(INDEX).is_null())[OTHER], limit)
    chosen = differing.filter(pl.col(INDEX).is_in(_some(differing[INDEX], limit))).sort(INDEX)
    ours, theirs = (
        dict(zip(sorted(numbers), side.fetch(sorted(numbers)), strict=True))
        for side, numbers in zip(rows, (chosen[INDEX], chosen[OTHER]), strict=True)
    )
    found.examples = {
        "changed": [
            _changed_row(found.key, ours[entry[INDEX]], theirs[entry[OTHER]], entry)
            for entry in chosen.iter_rows(named=True)
        ],
        "only_here": rows[0].fetch(only_here),
        "only_there": rows[1].fetch(only_there),
    }


def _changed_row(
    key: Sequence[str], ours: dict[str, Any], theirs: dict[str, Any], differs: dict[str, Any]
) -> dict[str, Any]:
    names = [name for name in list(differs)[2:] if differs[name]]
    return {
        "key": {name: ours[name] for name in key},
        "columns": {name: {"here": ours.get(name), "there": theirs.get(name)} for name in names},
    }


def _some(numbers: pl.Series, limit: int) -> list[int]:
    known = sorted(numbers)
    return sorted(random.Random(SEED).sample(known, limit)) if len(known) > limit else known
