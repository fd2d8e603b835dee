"""What an artifact was made from: the finished artifacts beside it that its manifest names.

A manifest names the addresses of its inputs, so what came before lies beside it on disk. An input
that was removed is passed over: a look shows what is there. Nothing is built or changed here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from .artifact import Artifact, glance
from .fingerprint import digest_of
from .statcache import DigestCache


def open_beside(folder: Path) -> Artifact | None:
    """An artifact below a work directory, compared with the digests remembered there."""
    return glance(folder, DigestCache(folder.parent.parent / ".digests.json"))


def upstream(artifact: Artifact) -> list[Artifact]:
    """All that the artifact was made from and that is still there, nearest first."""
    found: dict[Path, Artifact] = {}
    waiting = [artifact]
    while waiting:
        current = waiting.pop(0)
        inputs = current.manifest["identity"].get("inputs", {})
        for step, address in inputs.items():
            folder = current.path.parent / f"{step}-{address}"
            if folder not in found and (opened := open_beside(folder)) is not None:
                found[folder] = opened
                waiting.append(opened)
    return list(found.values())


def digest_of_samples(artifact: Artifact) -> str | None:
    """The `samples_digest` of an artifact, from its manifest alone; None without samples."""
    shards = {
        name: entry["sha256"]
        for name, entry in artifact.manifest["files"].items()
        if "/" not in name and fnmatchcase(name, "part-*.parquet")
    }
    return digest_of(shards) if shards else None
