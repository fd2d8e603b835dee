"""What did not become a row: left out, quarantined or failed, by reason and by any column.

A row that was left out is an id with a reason; its text and columns are with the samples it was
taken from, and are joined by id (a failed request by its problem). A broken line has its file,
line and text. A condition and a column may name what is beside the reason, a column of the sample
or a verdict on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.lineage import upstream
from ..pipeline.sample import SAMPLE_SCHEMA
from ..pipeline.suggest import suggest
from .conditions import explained, searched
from .dataset import judged_frame
from .family import REJECTED, rejected_frame, sample_shards, samples_by_id, verdict_sets
from .rows import BrokenLines, scan

NUM_EXAMPLES = 3
"""Examples of each reason, where no number is asked for."""
_KEYS = ("id", "prompt_id")


def rejected_counts(artifact: Artifact) -> dict[str, dict[str, Any]]:
    """`rows` and `reasons` by folder: left_out, quarantine, failed."""
    frames = {folder: rejected_frame(artifact, folder) for folder in REJECTED}
    return {folder: _reasons(frame) for folder, frame in frames.items() if frame is not None}


def rejected_rows(
    artifact: Artifact, where: str | None, by: str | None, examples: int
) -> dict[str, dict[str, Any]]:
    """The same of the rows for which the condition holds, with examples and counts by a column.

    Returns:
        By folder `rows`, `reasons`, `examples` by reason (rows, with their `sample` where it is
        still there) and, with `by`, `by`: for each value of that column the reasons with counts.

    Raises:
        RequestError: the condition or column is wrong.
    """
    found, known = {}, set()
    for folder in REJECTED:
        frame = rejected_frame(artifact, folder)
        if frame is None:
            continue
        frame = _joined(frame, artifact, f"{where or ''} {by or ''}")
        columns = frame.collect_schema().names()
        known |= set(columns) | (set(SAMPLE_SCHEMA.names) if _key(columns) else set())
        if by is None or by.partition(".")[0] in columns:
            found[folder] = _facts(frame, where, by, examples)
    if by is not None and known and not found:
        raise RequestError(f"--by {by}: no such column of what was left out; {suggest(by, known)}")
    _add_samples(artifact, found)
    return found


def broken_lines(
    broken: BrokenLines, where: str | None, by: str | None, examples: int
) -> dict[str, dict[str, Any]]:
    """Lines of text files that are no row, in the same form.

    Of very many only the first are kept (`of_first`); a condition or column then says of these.
    """
    if not broken.reasons:
        return {}
    facts = _facts(pl.LazyFrame(broken.first), where, by, examples)
    total = sum(broken.reasons.values())
    if total > len(broken.first):
        facts["of_first"] = len(broken.first)
    if where is None:
        common = sorted(broken.reasons.items(), key=lambda item: (-item[1], item[0]))
        facts |= {"rows": total, "reasons": dict(common)}
    return {"broken": facts}


def _facts(frame: pl.LazyFrame, where: str | None, by: str | None, examples: int) -> dict[str, Any]:
    asked = [f"--where {where!r}"] * (where is not None) + [f"--by {by}"] * (by is not None)
    with explained(" ".join(asked), frame.collect_schema().names()):
        if where is not None:
            frame, condition = searched(frame, where)
            frame = frame.filter(condition)
        facts = _reasons(frame)
        if by is not None and by != "reason":
            facts["by"] = {by: _by(*searched(frame, by))}
    names = frame.collect_schema().names()
    few = frame.group_by("reason", maintain_order=True).head(examples).select(names).collect()
    own = [name for name in names if "." not in name]
    rows = few.select(own).to_dicts()
    facts["examples"] = {
        reason: [row for row in rows if str(row["reason"]) == reason] for reason in facts["reasons"]
    }
    return facts


def _reasons(frame: pl.LazyFrame) -> dict[str, Any]:
    counts = frame.group_by("reason").len().sort(["len", "reason"], descending=[True, False])
    reasons = {str(reason): int(rows) for reason, rows in counts.collect().iter_rows()}
    return {"rows": sum(reasons.values()), "reasons": reasons}


def _by(frame: pl.LazyFrame, column: pl.Expr) -> dict[str, dict[str, int]]:
    counts = frame.group_by(column.alias("value"), pl.col("reason").alias("why")).len().collect()
    table: dict[str, dict[str, int]] = {}
    order = counts.sort(["len", "value", "why"], descending=[True, False, False])
    for value, reason, rows in order.iter_rows():
        table.setdefault("unknown" if value is None else str(value), {})[str(reason)] = int(rows)
    return dict(sorted(table.items(), key=lambda item: -sum(item[1].values())))


def _key(columns: Sequence[str]) -> str | None:
    return next((name for name in _KEYS if name in columns), None)


def _joined(frame: pl.LazyFrame, artifact: Artifact, asked: str) -> pl.LazyFrame:
    """The frame with those columns of its samples, and verdicts on them, that are asked for."""
    columns = frame.collect_schema().names()
    key = _key(columns)
    words = set(re.findall(r"\w+", asked))
    needed = [name for name in SAMPLE_SCHEMA.names if name in words and name not in columns]
    if key is not None and needed:
        shards = [sample_shards(member) for member in upstream(artifact)]
        parts = [scan(files).select(key, *needed) for files in shards if files]
        if parts:
            ids = frame.select(key)
            near = pl.concat([part.join(ids, on=key, how="semi") for part in parts])
            beside = near.unique(key, keep="first", maintain_order=True)
            frame = frame.join(beside, on=key, how="left", maintain_order="left")
    if key == "id":
        frame = judged_frame(frame, verdict_sets(artifact), asked)
    return frame


def _add_samples(artifact: Artifact, found: Mapping[str, dict[str, Any]]) -> None:
    """Give examples that have an id and no text the sample they are of."""
    examples = [
        row
        for entry in found.values()
        for rows in entry["examples"].values()
        for row in rows
        if row.get("id")
    ]
    if examples:
        texts = samples_by_id(upstream(artifact), [row["id"] for row in examples])
        for row in examples:
            row["sample"] = texts.get(row["id"])
