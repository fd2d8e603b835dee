"""Finding finished artifacts on disk without a recipe: `recipe/step`, or a path.

Several artifacts of one step may lie side by side, one for each address it had; the latest to be
finished counts. An artifact may hold others below it, such as what a policy wrote while it was
trained: `recipe/step/samples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .artifact import MANIFEST, Artifact, glance
from .clocks import oldest_first
from .errors import RequestError
from .statcache import DIGESTS, DigestCache
from .suggest import listed, suggest


def find_path(work: Path, name: str) -> Path:
    """The folder or file that STEP-OR-PATH means: an existing path, `recipe/step`, or a part of it.

    Raises:
        RequestError: neither; the message names the steps that there are.
    """
    recipe, _, step = name.partition("/")
    latest = latest_artifacts(work / recipe) if step else {}
    parts = _parts(latest.values(), _digests(work))
    found = latest.get(step) or next((part for part in parts if part.step == step), None)
    if found is not None:
        return found.path.absolute()
    if Path(name).exists():
        return Path(name).absolute()
    if latest := latest_artifacts(work / name):
        steps = listed(f"{name}/{step}" for step in latest)
        raise RequestError(f"{name!r} is a recipe; name one of its finished steps: {steps}")
    known = [f"{run.name}/{step}" for run in run_dirs(work) for step in latest_artifacts(run)]
    raise RequestError(f"{name!r} is neither a path nor a finished step; {suggest(name, known)}")


def run_dirs(work: Path) -> list[Path]:
    """The recipes that left artifacts in a work directory."""
    return sorted({manifest.parent.parent for manifest in work.glob(f"*/*/{MANIFEST}")})


def finished_below(folder: Path) -> list[Path]:
    """The folders of the finished steps in a work directory or in a recipe's folder in it."""
    manifests = [*folder.glob(f"*/{MANIFEST}"), *folder.glob(f"*/*/{MANIFEST}")]
    return sorted(manifest.parent for manifest in manifests)


def latest_artifacts(run_dir: Path) -> dict[str, Artifact]:
    """The latest finished artifact of each step, in the order in which they were finished."""
    return _latest(run_dir, _digests(run_dir.parent))


def all_latest(work: Path) -> list[Artifact]:
    """The latest artifacts of every recipe in a work directory, run by run, parts last."""
    cache = _digests(work)  # one for all: it may know thousands of files
    found: list[Artifact] = []
    for run in run_dirs(work):
        latest = _latest(run, cache).values()
        found += [*latest, *_parts(latest, cache)]
    return found


def _digests(work: Path) -> DigestCache:
    return DigestCache(work / DIGESTS)


def _latest(run_dir: Path, cache: DigestCache) -> dict[str, Artifact]:
    manifests = oldest_first(run_dir.glob(f"*/{MANIFEST}"))
    found: dict[str, Artifact] = {}
    for artifact in _opened((file.parent for file in manifests), cache):
        found.pop(artifact.step, None)
        found[artifact.step] = artifact
    return found


def _parts(artifacts: Iterable[Artifact], cache: DigestCache) -> Iterator[Artifact]:
    """The artifacts that lie below these; they are called `step/part`."""
    for artifact in artifacts:
        manifests = sorted(artifact.path.glob(f"*/{MANIFEST}"))
        yield from _opened((file.parent for file in manifests), cache)


def _opened(folders: Iterable[Path], cache: DigestCache) -> Iterable[Artifact]:
    for folder in folders:
        artifact = glance(folder, cache)
        if artifact is not None:
            yield artifact
