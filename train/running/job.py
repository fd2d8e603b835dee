"""A training on disk: what each of its processes needs to begin, as JSON and an Arrow file.

Written by the step below its state folder and read by every process, on this machine or on another
that sees the same file system. Stages and filters are named by their class and made again from
their settings; nothing is pickled. The rows are mapped into memory, so that the processes of a
machine share them.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pyarrow as pa
from pydantic import BaseModel

from ...pipeline.artifact import MANIFEST, Artifact
from ...pipeline.budget import Budget
from ...pipeline.errors import RequestError
from ...pipeline.filter import Filter
from ...pipeline.progress import Progress
from ...pipeline.shards import atomic_path, write_text
from ...pipeline.stage import Context
from .numerics import Numerics

if TYPE_CHECKING:
    from ..training import TrainingStage

JOB: Final = "job.json"
ROWS: Final = "rows.arrow"
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Job:
    """One training, as a process begins it."""

    stage: TrainingStage
    context: Context
    """Of the whole step: workers and budget are not shared out yet."""
    numerics: Numerics
    sharding: str
    rows: pa.Table
    digest: str
    """Of what was written: equal in processes that do the same."""


def write_job(
    folder: Path,
    stage: TrainingStage,
    context: Context,
    numerics: Numerics,
    sharding: str,
    rows: pa.Table,
) -> None:
    """Write a job, in the place of an earlier one.

    Raises:
        RequestError: a class that another process could not find.
        StepFailed: the disk is full.
    """
    with atomic_path(folder / ROWS) as file, pa.ipc.new_file(str(file), rows.schema) as writer:
        writer.write_table(rows)
    body = {
        "stage": _described(stage),
        "context": _context_body(context),
        "numerics": asdict(numerics),
        "sharding": sharding,
        "rows": rows.num_rows,
    }
    write_text(folder / JOB, json.dumps(body, indent=1, sort_keys=True))


def read_job(folder: Path) -> Job:
    """What `write_job` wrote; progress goes nowhere yet."""
    text = (folder / JOB).read_text(encoding="utf-8")
    body = json.loads(text)
    return Job(
        stage=_made(body["stage"], _training_stage()),
        context=_context(body["context"]),
        numerics=Numerics(**body["numerics"]),
        sharding=body["sharding"],
        rows=pa.ipc.open_file(pa.memory_map(str(folder / ROWS))).read_all(),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def share_of(context: Context, progress: Progress, here: int, processes: int) -> Context:
    """What one of several processes may use of a step's workers and budget.

    Args:
        here: processes on this machine, which share its workers.
        processes: on all machines, which share the budget.
    """
    budget = context.budget
    part = replace(
        budget,
        tokens=None if budget.tokens is None else budget.tokens // processes,
        requests=None if budget.requests is None else budget.requests // processes,
        usd=None if budget.usd is None else budget.usd / processes,
    )
    workers = max(1, context.workers // here)
    return replace(context, progress=progress, workers=workers, budget=part)


def _context_body(context: Context) -> dict[str, Any]:
    return {
        "step": context.step,
        "out": str(context.out),
        "inputs": {name: str(artifact.path) for name, artifact in context.inputs.items()},
        "filters": {name: _described(each) for name, each in context.filters.items()},
        "paths": {name: str(path) for name, path in context.paths.items()},
        "digests": dict(context.digests),
        "journal": str(context.journal),
        "workers": context.workers,
        "limit": context.limit,
        "budget": asdict(context.budget),
    }


def _context(body: Mapping[str, Any]) -> Context:
    return Context(
        step=body["step"],
        out=Path(body["out"]),
        inputs={name: _artifact(Path(path)) for name, path in body["inputs"].items()},
        filters={name: _made(each, Filter) for name, each in body["filters"].items()},
        paths={name: Path(path) for name, path in body["paths"].items()},
        digests=body["digests"],
        journal=Path(body["journal"]),
        workers=body["workers"],
        limit=body["limit"],
        budget=Budget(**body["budget"]),
    )


def _artifact(path: Path) -> Artifact:
    """Opened without its files being hashed once more: the runner did that before the step."""
    return Artifact(path, json.loads((path / MANIFEST).read_text(encoding="utf-8")))


def _described(model: BaseModel) -> dict[str, Any]:
    kind = type(model)
    name = f"{kind.__module__}:{kind.__qualname__}"
    if kind.__module__ == "__main__" or "<locals>" in name:
        raise RequestError(
            f"{name} cannot be found by the other processes of this training. Put the class into a "
            "module of its own, or train in one process."
        )
    return {"class": name, "config": model.model_dump(mode="json")}


def _made(body: Mapping[str, Any], base: type[_Model]) -> _Model:
    found = pkgutil.resolve_name(body["class"])
    assert issubclass(found, base), f"{body['class']} is no {base.__name__}"
    return found.model_validate_json(json.dumps(body["config"]))  # type: ignore[no-any-return]


def _training_stage() -> type[TrainingStage]:
    from ..training import TrainingStage

    return TrainingStage
