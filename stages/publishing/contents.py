"""What a publication consists of: an export's or a model's files, its manifest and its provenance.

    data/…, README.md                    an export: everything its manifest lists
    *.safetensors, *.json, *.jinja …     a model: what serving it takes, no logs and no checkpoints
    provenance/<step>-<address>.json     the manifests of everything upstream
    manifest.json                        of exactly these files, so that a download can be verified

Steps that are neither are refused, and so are pickles, which run code when they are opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ...pipeline.artifact import MANIFEST, Artifact, open_artifact
from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.fingerprint import digest_of
from ...pipeline.lineage import upstream
from ...pipeline.manifest_form import read_manifest
from .model_card import model_card

RepoType = Literal["dataset", "model"]

CARD: Final = "README.md"
PROVENANCE: Final = "provenance"
_OF_A_MODEL: Final = (".safetensors", ".json", ".jinja", ".model", ".txt", ".md")
_PICKLES: Final = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz")


@dataclass(frozen=True)
class Contents:
    """The files of a publication by their name in the repository."""

    artifact: Artifact
    repo_type: RepoType
    files: Mapping[str, Path | bytes]

    @property
    def card(self) -> str:
        """The README as it will be."""
        return _bytes(self.files[CARD]).decode("utf-8")

    @property
    def digest(self) -> str:
        """What `verify` of a download shows: of the names and sha256 of all files but manifest."""
        return digest_of({name: self.sha256(name) for name in self.files if name != MANIFEST})

    def size(self, name: str) -> int:
        source = self.files[name]
        return len(source) if isinstance(source, bytes) else source.stat().st_size

    def sha256(self, name: str) -> str:
        """Of a file of the artifact as its manifest says, which was compared when it was opened."""
        source = self.files[name]
        if isinstance(source, bytes):
            return hashlib.sha256(source).hexdigest()
        return str(self.artifact.manifest["files"][name]["sha256"])


def contents_of(path: Path) -> Contents:
    """What publishing the artifact in a folder would upload.

    Raises:
        RequestError: it is neither an export nor a model, or holds pickles.
        StepFailed: a file differs from the manifest, or the manifest is damaged.
    """
    _check_form(path / MANIFEST)
    artifact = open_artifact(path) if path.is_dir() else None
    if artifact is None:
        raise RequestError(
            f"{path} holds no {MANIFEST}, so it is no finished step. Expected an export or a "
            "trained model, as recipe/step or a folder"
        )
    repo_type = _repo_type(artifact)
    files = _files_of(artifact, repo_type)
    for before in upstream(artifact):
        name = f"{PROVENANCE}/{before.step}-{before.address}.json"
        files[name] = (before.path / MANIFEST).read_bytes()
    found = Contents(artifact, repo_type, files)
    return Contents(artifact, repo_type, {**files, MANIFEST: _manifest(found)})


def _check_form(manifest: Path) -> None:
    """A folder may have been downloaded, and its manifest written by anyone."""
    if not manifest.is_file():
        return
    try:
        read_manifest(manifest)
    except ValueError as error:
        raise StepFailed(
            f"{manifest} cannot be read: {error}. Build the step again, or download it again"
        ) from error


def _repo_type(artifact: Artifact) -> RepoType:
    names = artifact.manifest["files"].keys()
    if artifact.kind == "export":
        return "dataset"
    if any(name.endswith(".safetensors") and "/" not in name for name in names):
        return "model"
    if pickles := sorted(name for name in names if name.endswith(_PICKLES)):
        raise RequestError(_PICKLED.format(artifact.step, pickles[0]))
    advice = (
        f"add a step that exports it, export: {{samples: {artifact.step}}}, and publish that one"
        if artifact.rows is not None
        else "publish an export of samples, or a trained model"
    )
    raise RequestError(
        f"step {artifact.step!r} ({artifact.kind}) is neither an export nor a model; {advice}"
    )


def _files_of(artifact: Artifact, repo_type: RepoType) -> dict[str, Path | bytes]:
    names = sorted(artifact.manifest["files"])
    if repo_type == "dataset":
        return {name: artifact.path / name for name in names}
    at_top = [name for name in names if "/" not in name]
    if pickles := [name for name in at_top if name.endswith(_PICKLES)]:
        raise RequestError(_PICKLED.format(artifact.step, pickles[0]))
    files: dict[str, Path | bytes] = {
        name: artifact.path / name for name in at_top if name.endswith(_OF_A_MODEL)
    }
    files[CARD] = model_card(artifact).encode("utf-8")
    return files


_PICKLED: Final = (
    "step {0!r} holds {1}, a pickle, which runs code when it is opened. Expected weights as "
    "*.safetensors; save them so, and publish again"
)


def _manifest(contents: Contents) -> bytes:
    """The artifact's manifest with the files of the publication in the place of its own."""
    body: dict[str, Any] = dict(contents.artifact.manifest)
    body["files"] = {
        name: {"bytes": contents.size(name), "sha256": contents.sha256(name)}
        for name in sorted(contents.files)
    }
    return (json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def _bytes(source: Path | bytes) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()
