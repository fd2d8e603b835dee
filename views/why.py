"""`why`: the whole life of one sample or problem over all finished artifacts; facts only.

A sample's id is kept unchanged by select and mix, so its life is where that id occurs, in the
order of the graph: the step that wrote it, each verdict, where it was left out and for what
reason, and how often each mixture holds it. The life of a problem is that of all its samples.
Ids are searched by column scans; texts are read only for what is found. `show_why.py` draws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.verdicts import read_verdict_sets
from .family import REJECTED, rejected_frame, sample_shards, samples_by_id, verdicts_on
from .rows import scan
from .show_why import show_why

__all__ = ["Life", "show_why", "why"]

SHORTEST_PREFIX = 6
MAX_CANDIDATES = 10


@dataclass
class Life:
    """What happened to a sample or problem."""

    what: str
    """`sample` or `problem`."""
    id: str
    row: dict[str, Any]
    """The sample whole; for a problem one of its rows, whose prompt all share."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """In the order of the graph. Each has `step` (recipe/step), `kind`, `path` and `what`:
    `holds` (with `copies`), `verdict` (`filter`, `score`, `reason`, `evidence`, and `same_as`
    where another step published it before), or `left_out`, `quarantine`, `failed` (`reason`).
    Of a problem: only what concerns no sample of it."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    """Of a problem: each sample's `id`, `completed` (it has a completion), `generation`,
    `verdicts` by filter (score and reason) and `events`, as above."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def why(artifacts: Sequence[Artifact], prefix: str) -> Life:
    """Find the one sample or problem whose id begins with `prefix` and tell its life.

    Args:
        artifacts: the current artifacts, in the order of their graphs.
        prefix: at least six characters of a sample's id or of a prompt_id.

    Raises:
        RequestError: the prefix is too short, unknown, or begins several ids.
    """
    if len(prefix) < SHORTEST_PREFIX:
        raise RequestError(
            f"{prefix!r} has {len(prefix)} characters; expected at least {SHORTEST_PREFIX} of an "
            "id, such as `potstill inspect STEP --sample 3` shows them"
        )
    what, found = _the_only(_candidates(artifacts, prefix), artifacts, prefix)
    ids = [found] if what == "sample" else _ids_of_problem(artifacts, found)
    rows = samples_by_id(artifacts, ids)
    told = _events(artifacts, ids)
    if what == "sample":
        return Life(what, found, rows[found], told[found])
    samples = [_sample_facts(rows[sample_id], told[sample_id]) for sample_id in ids]
    return Life(what, found, rows[ids[0]], _problem_events(artifacts, found), samples)


def step_label(artifact: Artifact) -> str:
    """`recipe/step`, or `recipe/step/part`, as `inspect` takes it."""
    recipe = artifact.path.parents[artifact.step.count("/")].name
    return f"{recipe}/{artifact.step}"


def _candidates(artifacts: Iterable[Artifact], prefix: str) -> dict[tuple[str, str], str]:
    """(sample or problem, id) of all that begin with the prefix, and the step that holds it."""
    found: dict[tuple[str, str], str] = {}
    for artifact in artifacts:
        if not (files := sample_shards(artifact)):
            continue
        for what, column in (("sample", "id"), ("problem", "prompt_id")):
            begins = pl.col(column).str.starts_with(prefix)
            ids = scan(files).select(column).filter(begins).unique(maintain_order=True).collect()
            for value in ids[column]:
                found.setdefault((what, value), step_label(artifact))
    return found


def _the_only(
    found: dict[tuple[str, str], str], artifacts: Sequence[Artifact], prefix: str
) -> tuple[str, str]:
    exact = [key for key in found if key[1] == prefix]
    if len(found) == 1 or exact:
        return exact[0] if exact else next(iter(found))
    if not found:
        looked = ", ".join(step_label(a) for a in artifacts if sample_shards(a)) or "none"
        raise RequestError(
            f"no id of a sample or problem begins with {prefix!r} in the finished steps "
            f"({looked}). `potstill inspect STEP --sample 3` shows ids."
        )
    lines = [f"  {what} {name} in {step}" for (what, name), step in found.items()]
    more = len(lines) - MAX_CANDIDATES
    lines = lines[:MAX_CANDIDATES] + ([f"  and {more:,} more"] if more > 0 else [])
    raise RequestError(
        f"{len(found):,} ids begin with {prefix!r}; expected one. Add characters:\n"
        + "\n".join(lines)
    )


def _ids_of_problem(artifacts: Iterable[Artifact], prompt_id: str) -> list[str]:
    ids: dict[str, None] = {}
    for artifact in artifacts:
        if files := sample_shards(artifact):
            of_problem = scan(files).filter(pl.col("prompt_id") == prompt_id).select("id")
            ids.update(dict.fromkeys(of_problem.collect()["id"]))
    return list(ids)


def _events(artifacts: Iterable[Artifact], ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What each step did with each of the samples, in the order of the steps."""
    told: dict[str, list[dict[str, Any]]] = {sample_id: [] for sample_id in ids}
    published: dict[tuple[str, str], str] = {}
    for artifact in artifacts:
        where = _where(artifact)
        for sample_id, copies in _copies(artifact, ids).items():
            told[sample_id].append({**where, "what": "holds", "copies": copies})
        sets = read_verdict_sets(artifact.path)
        for sample_id, verdicts in verdicts_on(sets, ids).items():
            for name, verdict in verdicts.items():
                about = sets[name].about
                first = published.setdefault(
                    (about["fingerprint"], about["samples"]), where["step"]
                )
                same = {"same_as": first} if first != where["step"] else {}
                event = {**where, "what": "verdict", "filter": name, **verdict, **same}
                told[sample_id].append(event)
        for folder in REJECTED:
            for row in _rejected_rows(artifact, folder, "id", ids):
                told[row["id"]].append({**where, "what": folder, **row})
    return told


def _problem_events(artifacts: Iterable[Artifact], prompt_id: str) -> list[dict[str, Any]]:
    """Failed requests and the like: rows that name the problem and no sample."""
    return [
        {**_where(artifact), "what": folder, **row}
        for artifact in artifacts
        for folder in REJECTED
        for row in _rejected_rows(artifact, folder, "prompt_id", [prompt_id])
        if not row.get("id")
    ]


def _where(artifact: Artifact) -> dict[str, Any]:
    return {
        "step": step_label(artifact),
        "kind": artifact.kind,
        "path": str(artifact.path.absolute()),
    }


def _copies(artifact: Artifact, ids: Sequence[str]) -> dict[str, int]:
    files = sample_shards(artifact)
    if not files:
        return {}
    held = scan(files).select("id").filter(pl.col("id").is_in(list(ids)))
    counted = held.group_by("id", maintain_order=True).len().collect()
    return {str(sample_id): int(copies) for sample_id, copies in counted.iter_rows()}


def _rejected_rows(
    artifact: Artifact, folder: str, column: str, values: Sequence[str]
) -> list[dict[str, Any]]:
    frame = rejected_frame(artifact, folder)
    if frame is None or frame.collect_schema().get(column) != pl.String:
        return []
    return frame.filter(pl.col(column).is_in(list(values))).collect().to_dicts()


def _sample_facts(row: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "completed": row["completion"] is not None,
        "generation": row["generation"],
        "verdicts": _summary(events),
        "events": events,
    }


def _summary(events: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last verdict of each filter."""
    return {
        event["filter"]: {"score": event["score"], "reason": event["reason"]}
        for event in events
        if event["what"] == "verdict"
    }
