"""`inspect`: what lies in one artifact or file, as facts; `show_inspection.py` draws them.

An artifact gives its shards, columns, figures, metrics, verdicts and what was rejected; any file
of rows its rows and columns. `where` is one SQL condition over the columns, with
`<filter>_score` and `<filter>_reason` beside them where the rows were judged; `sample` picks rows
by a fixed seed, so the same look shows the same rows. Rows come whole, with their verdicts, or in
the columns that were named. `rejected` turns the look to what was left out. Read-only.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..pipeline.errors import RequestError
from ..pipeline.suggest import suggest
from ..pipeline.verdicts import VerdictSet
from .dataset import all_columns, judged_frame, open_dataset, search
from .describe import Inspection, add_profile, describe, head_of
from .family import verdicts_on
from .fields import check_field, path_of, value_of
from .rejected import NUM_EXAMPLES, broken_lines, rejected_rows
from .rows import Rows, readable
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
    by: str | None = None,
    id: str | None = None,
    columns: str | None = None,
) -> Inspection:
    """Look at an artifact's directory, a file of rows, or a folder of such files.

    Args:
        where: a SQL condition; its matches are counted and, without `sample`, five are shown.
        sample: how many rows to show; with `rejected` how many examples of each reason.
        rejected: look at what was left out, quarantined or failed instead of the rows.
        by: with `rejected`: count by this column of the rows beside the reason.
        id: show the rows whose id or prompt_id begins with this.
        columns: only these, with commas between them; `generation.index` names a field.

    Raises:
        RequestError: the path, condition, column, id or number is wrong.
        StepFailed: the artifact is damaged.
    """
    if sample is not None and sample < 1:
        raise RequestError(f"--sample {sample}: expected a number of rows from 1 on")
    if rejected and (id is not None or columns is not None):
        raise RequestError("--rejected goes with --by, --where and --sample only")
    if by is not None and not rejected:
        raise RequestError(f"--by {by} counts what was left out: add --rejected")
    with readable(path):
        if rejected:
            return _inspect_rejected(path, where, sample or NUM_EXAMPLES, by)
        return _inspect_rows(path, where, sample, id, columns)


def _inspect_rows(
    path: Path, where: str | None, sample: int | None, id: str | None, columns: str | None
) -> Inspection:
    asks = where is not None or sample is not None or id is not None
    data = open_dataset(path, whole=asks)
    found = describe(data)
    if not asks and columns is None:
        if data.own is not None:
            add_profile(found, data.own, None)
        return found
    rows = data.rows()
    sets = data.verdicts(rows)
    names = _names(columns, rows, sets) if columns is not None else []
    roots = [path_of(name, rows.columns())[0] for name in names]
    if asks:
        _choose(found, rows, sets, where, sample, id)
        _add_verdicts(found, sets)
    else:
        judged = judged_frame(rows.frame, sets, columns or "")
        shown = rows if judged is rows.frame else Rows(judged, rows.fetch, rows.total)
        add_profile(found, shown, roots)
    if names:
        kinds = rows.columns()
        found.columns = {name: kinds[name] for name in roots if name in kinds}
        _keep_columns(found, names)
    return found


def _inspect_rejected(path: Path, where: str | None, examples: int, by: str | None) -> Inspection:
    data = open_dataset(path, whole=True)
    found = head_of(data)
    found.columns, found.only_rejected = {}, True
    if data.artifact is not None:
        found.rejected = rejected_rows(data.artifact, where, by, examples)
    if data.own is not None:
        found.rejected |= broken_lines(data.own.broken, where, by, examples)
    return found


def _names(columns: str, rows: Rows, sets: Mapping[str, VerdictSet]) -> list[str]:
    names = [name.strip() for name in columns.split(",") if name.strip()]
    known = all_columns(rows, dict(sets))
    schema = rows.frame.collect_schema()
    unknown = [name for name in names if path_of(name, known)[0] not in known]
    if unknown or not names:
        wrong = (unknown or [columns])[0]
        raise RequestError(f"--columns: there is no column {wrong!r}; {suggest(wrong, known)}")
    for name in names:
        check_field(name, schema)
    return names


def _choose(
    found: Inspection,
    rows: Rows,
    sets: dict[str, VerdictSet],
    where: str | None,
    sample: int | None,
    id: str | None,
) -> None:
    """Fill `matched` and `samples`: rows by condition and id, then some of them by the seed."""
    numbers = search(rows, sets, where, id)
    if where is not None or id is not None:
        found.matched = len(numbers)
    limit = sample or (NUM_SHOWN if id is None else MAX_SHOWN_BY_ID)
    if len(numbers) > limit:
        numbers = sorted(random.Random(SEED).sample(numbers, limit))
    found.samples = [{"row": row, "verdicts": {}} for row in rows.fetch(numbers)]


def _add_verdicts(found: Inspection, sets: Mapping[str, VerdictSet]) -> None:
    samples = (found.samples or []) if sets else []
    verdicts = verdicts_on(sets, (sample["row"]["id"] for sample in samples))
    for sample in samples:
        sample["verdicts"] = verdicts[sample["row"]["id"]]


def _keep_columns(found: Inspection, names: Sequence[str]) -> None:
    for sample in found.samples or []:
        judged = {
            f"{name}_{part}": verdict[part]
            for name, verdict in sample["verdicts"].items()
            for part in ("score", "reason")
        }
        row = {**sample["row"], **judged}
        sample["row"] = {name: value_of(row, name) for name in names}
        sample["verdicts"] = {}
