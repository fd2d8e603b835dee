"""`compare`: mixtures, evaluations, other datasets, other steps or whole runs side by side.

What is compared is told apart by its manifest; a path without one is a dataset. A mixture beside a
plain dataset is compared as one. Here is only which comparison it is: `compare_data.py` compares
rows by group, `compare_scores.py` metrics and runs, and `show_comparison.py` draws. Which rows
differ, and in what, is `inspect --diff`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..pipeline.artifact import MANIFEST
from ..pipeline.errors import RequestError
from ..pipeline.lineage import open_beside
from ..pipeline.locate import find_path, latest_artifacts, run_dirs
from .compare_data import compare_data
from .compare_scores import compare_evaluations, compare_runs, compare_steps
from .dataset import Dataset, open_dataset
from .rows import readable
from .show_comparison import show_comparison

__all__ = ["Comparison", "compare", "show_comparison"]

RUN: Final = "run"
DATASET, MIXTURE, EVALUATION = "dataset", "mixture", "evaluation"


@dataclass(frozen=True)
class Comparison:
    """What was found; each list in `found` has an entry for each name."""

    what: str
    """`mixture`, `dataset`, `evaluation`, `run`, or the kind of other steps, such as `sft`."""
    names: list[str]
    paths: list[str]
    found: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return {"what": self.what, "names": self.names, "paths": self.paths, **self.found}


@dataclass(frozen=True)
class _Member:
    name: str
    path: Path
    what: str
    data: Dataset | None = None


def compare(work: Path, names: Sequence[str]) -> Comparison:
    """Look at two or more runs, steps (`recipe/step`) or paths of one kind.

    Raises:
        RequestError: fewer than two, one that is not there, or two of different kinds.
        StepFailed: an artifact is damaged.
    """
    if len(names) < 2:
        raise RequestError(
            f"compare needs two names or more, not {len(names)}: potstill compare run/one run/two"
        )
    members = [_open(work, name) for name in names]
    what = _common_kind(members)
    with readable(*(member.path for member in members)):
        found = _compared(what, members)
    return Comparison(what, list(names), [str(member.path) for member in members], found)


def _open(work: Path, name: str) -> _Member:
    run = next((run for run in run_dirs(work) if run.name == name), Path(name))
    if not (run / MANIFEST).exists() and any(run.glob(f"*/{MANIFEST}")):
        return _Member(name, run.absolute(), RUN)
    path = find_path(work, name)
    artifact = open_beside(path) if path.is_dir() else None
    if artifact is not None and artifact.kind == "evaluate":
        return _Member(name, path, EVALUATION, Dataset(path, artifact, None, []))
    data = open_dataset(path, whole=True)
    if data.artifact is None or data.own is not None:
        is_mixture = data.artifact is not None and "report" in data.artifact.metrics
        return _Member(name, path, MIXTURE if is_mixture else DATASET, data)
    return _Member(name, path, data.artifact.kind, data)


def _common_kind(members: Sequence[_Member]) -> str:
    """The kind of all of them.

    Raises:
        RequestError: there are several.
    """
    kinds = {member.what for member in members}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {MIXTURE, DATASET}:
        return DATASET
    told = ", ".join(f"{member.name} is {_article(member.what)}" for member in members)
    raise RequestError(
        f"{told}: these cannot be compared. Expected mixtures, evaluations, datasets, steps of one "
        "kind, or whole runs."
    )


def _article(what: str) -> str:
    known = {RUN, DATASET, MIXTURE, EVALUATION}
    if what not in known:
        return f"a step of kind {what}"
    return f"{'an' if what == EVALUATION else 'a'} {what}"


def _compared(what: str, members: Sequence[_Member]) -> dict[str, Any]:
    if what == RUN:
        return compare_runs([latest_artifacts(member.path) for member in members])
    found = [member.data for member in members if member.data is not None]
    if what in (MIXTURE, DATASET):
        return compare_data(found)
    artifacts = [data.artifact for data in found if data.artifact is not None]
    return compare_evaluations(artifacts) if what == EVALUATION else compare_steps(artifacts)
