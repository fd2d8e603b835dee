"""Whether an artifact was made from what its inputs hold now, as far as they are at hand.

A manifest records the content digest of each input. The input lies beside the artifact, or its
manifest lies in the `provenance/` of a publication, and so do the manifests of what came before it:
each is compared with the next. Only manifests are read here; `verify.py` compares the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .artifact import MANIFEST, Artifact
from .manifest_form import read_manifest

PROVENANCE: Final = "provenance"


def is_publication(artifact: Artifact) -> bool:
    """Whether it is an export, or carries the manifests of what it was made from."""
    listed = artifact.manifest["files"]
    return artifact.kind == "export" or any(name.startswith(f"{PROVENANCE}/") for name in listed)


def compare_inputs(artifact: Artifact) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Inputs that are not at hand, and sentences about those of other content."""
    absent, changed = [], []
    for made in (artifact, *_provenance(artifact.path)):
        for step, address in made.manifest["identity"].get("inputs", {}).items():
            found = _find(artifact.path, f"{step}-{address}")
            if found is None:
                absent.append(step)
            elif made.manifest["inputs"].get(step) != found.digest:
                changed.append(f"{made.step} was made from another {step} than {address} is now")
    return tuple(dict.fromkeys(absent)), tuple(changed)


def _provenance(folder: Path) -> Iterator[Artifact]:
    for file in sorted((folder / PROVENANCE).glob("*.json")):
        if (found := _opened(file)) is not None:
            yield found


def _find(folder: Path, name: str) -> Artifact | None:
    """Names are of a manifest that anyone may have written: one that leads elsewhere is no name."""
    if "/" in name or "\0" in name:
        return None
    beside = _opened(folder.parent / name / MANIFEST)
    return beside or _opened(folder / PROVENANCE / f"{name}.json")


def _opened(file: Path) -> Artifact | None:
    """None where there is none, or a damaged one: that is told where its own folder is compared."""
    try:
        return Artifact(file.parent, read_manifest(file))
    except ValueError:
        return None
