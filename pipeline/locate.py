"""Finding finished artifacts on disk without a recipe: `recipe/step`, or a path.

Several artifacts of one step may lie side by side, one for each address it had; the latest to be
finished counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .artifact import MANIFEST, Artifact, open_artifact
from .errors import RequestError
from .statcache import DigestCache
from .suggest import suggest


def find_path(work: Path, name: str) -> Path:
    """The folder or file that STEP-OR-PATH means: an existing path, or `recipe/step`.

    Raises:
        RequestError: neither; the message names the steps that there are.
    """
    recipe, _, step = name.partition("/")
    latest = latest_artifacts(work / recipe) if step else {}
    if step in latest:
        return latest[step].path.absolute()
    if Path(name).exists():
        return Path(name).absolute()
    known = [f"{run.name}/{found}" for run in run_dirs(work) for found in latest_artifacts(run)]
    raise RequestError(f"{name!r} is neither a path nor a finished step; {suggest(name, known)}")


def run_dirs(work: Path) -> list[Path]:
    """The recipes that left artifacts in a work directory."""
    return sorted({manifest.parent.parent for manifest in work.glob(f"*/*/{MANIFEST}")})


def latest_artifacts(run_dir: Path) -> dict[str, Artifact]:
    """The latest finished artifact of each step, in the order in which they were finished."""
    cache = DigestCache(run_dir.parent / ".digests.json")
    manifests = sorted(run_dir.glob(f"*/{MANIFEST}"), key=lambda file: file.stat().st_mtime_ns)
    found: dict[str, Artifact] = {}
    for artifact in _opened((file.parent for file in manifests), cache):
        found.pop(artifact.step, None)
        found[artifact.step] = artifact
    return found


def all_latest(work: Path) -> list[Artifact]:
    """The latest artifacts of every recipe in a work directory, run by run."""
    return [artifact for run in run_dirs(work) for artifact in latest_artifacts(run).values()]


def _opened(folders: Iterable[Path], cache: DigestCache) -> Iterable[Artifact]:
    for folder in folders:
        artifact = open_artifact(folder, cache)
        if artifact is not None:
            yield artifact
