"""Which recipes of a work directory made something from an artifact, known by its content.

A step that names an artifact by path (`reuse`, `load`, a model) has the digest of its content in
its identity, not the path, so the manifests tell it without the recipes. Only manifests are read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

from .artifact import MANIFEST, Artifact
from .fingerprint import digest_of
from .lineage import digest_of_samples
from .manifest_form import read_manifest
from .statcache import MODEL_FILES

_CONTENT = re.compile(r"content:([0-9a-f]{64})")


class Users:
    """What the recipes whose folders are not in `own` were made from.

    Args:
        own: names of run folders to pass over.
    """

    def __init__(self, work: Path, own: Collection[str]) -> None:
        self._by_content: dict[str, str] = {}
        for file in sorted(work.glob(f"*/*/{MANIFEST}")):
            run = file.parent.parent.name
            if run in own:
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            for digest in _CONTENT.findall(text):
                self._by_content.setdefault(digest, f"{run}/{file.parent.name}")

    def of(self, folder: Path) -> str | None:
        """`recipe/step-address` of something made from the artifact; None: nothing was."""
        artifact = Artifact(folder, read_manifest(folder / MANIFEST))
        digests = (digest_of_samples(artifact), _digest_of_model(artifact))
        found = (self._by_content.get(digest) for digest in digests if digest is not None)
        return next((user for user in found if user is not None), None)


def _digest_of_model(artifact: Artifact) -> str | None:
    """What `DigestCache.digest_path` gives for a model's folder; None: it holds no model."""
    files = {
        name: entry["sha256"]
        for name, entry in artifact.manifest["files"].items()
        if name in MODEL_FILES or ("/" not in name and fnmatchcase(name, "*.safetensors"))
    }
    return digest_of(files) if files else None
