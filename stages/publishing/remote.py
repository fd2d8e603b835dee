"""A repository as it is, and what a publication would change in it.

Large files are told by their sha256 and small ones by the id that git gives them, so nothing is
downloaded to compare. Nothing is asked of the hub here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .contents import Contents

_FOLDERS: Final = ("data/", "provenance/")
_WEIGHTS: Final = (".safetensors", ".safetensors.index.json")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository: the sha256 of a large one, the git blob id of a small one."""

    size: int
    sha256: str | None
    blob: str


@dataclass(frozen=True)
class Remote:
    """A repository as it is now."""

    exists: bool | None
    """None: it could not be asked."""
    revision: str | None = None
    private: bool | None = None
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    why_unknown: str | None = None


def changes(contents: Contents, remote: Remote) -> dict[str, str]:
    """`new`, `changed` or `same` for each file, and `removed` for those that would go.

    `unknown` where the repository could not be looked at.
    """
    if remote.exists is None:
        return dict.fromkeys(sorted(contents.files), "unknown")
    told = {}
    for name in sorted(contents.files):
        there = remote.files.get(name)
        told[name] = "new" if there is None else _difference(contents, name, there)
    for name in sorted(remote.files.keys() - contents.files.keys()):
        if _is_ours(name):
            told[name] = "removed"
    return told


def _is_ours(name: str) -> bool:
    """Whether a file goes when a publication no longer has it: old shards would be loaded beside
    the new ones. Everything else that is there stays."""
    return name.startswith(_FOLDERS) or ("/" not in name and name.endswith(_WEIGHTS))


def _difference(contents: Contents, name: str, there: RemoteFile) -> str:
    if contents.size(name) != there.size:
        return "changed"
    if there.sha256 is not None:
        return "same" if contents.sha256(name) == there.sha256 else "changed"
    return "same" if _git_blob(contents, name) == there.blob else "changed"


def _git_blob(contents: Contents, name: str) -> str:
    """The id that git gives a file; only small ones are not told by their sha256."""
    source = contents.files[name]
    data = source if isinstance(source, bytes) else source.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
