"""Checking files against the manifests that list them (`potstill verify`).

A step, an export that was downloaded, a recipe's folder or a whole work directory: every file is
read once and its sha256 compared; missing, changed and extra files are told with what to do. No
digest that is remembered is trusted here, and nothing is changed. A manifest that lists all that
differs says nothing against the manifest itself: whoever can change both can lie; compare its
`digest` with one you got elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from .artifact import MANIFEST, Artifact
from .clocks import oldest_first
from .errors import RequestError
from .file_names import bad_name
from .fingerprint import ADDRESS_LENGTH, digest_of
from .listed_files import Difference, compare_file, extra_files
from .locate import run_dirs
from .manifest_form import read_manifest
from .origins import compare_inputs, is_publication
from .suggest import suggest

Listen: TypeAlias = Callable[[int, int], None]
"""Told the bytes read so far and the bytes there are."""


@dataclass(frozen=True)
class Checked:
    """One folder with a manifest, compared."""

    path: Path
    step: str | None
    """None where the manifest cannot be read."""
    digest: str | None
    """Hash of the names and sha256 of all listed files: what this dataset is."""
    files: int
    bytes: int
    """Files and bytes that the manifest lists."""
    differences: tuple[Difference, ...]
    remedy: str
    inputs_absent: tuple[str, ...] = ()
    """Inputs that are not beside it, so that nothing can be said of them."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "path": str(self.path),
            "step": self.step,
            "digest": self.digest,
            "whole": not self.differences,
            "files": self.files,
            "bytes": self.bytes,
            "differences": [each.facts() for each in self.differences],
            "remedy": self.remedy if self.differences else None,
            "inputs_absent": list(self.inputs_absent),
        }


@dataclass(frozen=True)
class Verification:
    """All that was compared, and folders of steps that were not finished."""

    checked: tuple[Checked, ...]
    unfinished: tuple[Path, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing differs."""
        return not any(each.differences for each in self.checked)

    def facts(self) -> dict[str, Any]:
        """JSON values for `verify --json`."""
        return {
            "whole": self.whole,
            "files": sum(each.files for each in self.checked),
            "bytes": sum(each.bytes for each in self.checked),
            "checked": [each.facts() for each in self.checked],
            "unfinished": [str(path) for path in self.unfinished],
        }


def verify(
    work: Path, names: Sequence[str], listen: Listen = lambda done, total: None
) -> Verification:
    """Compare what the names mean with its manifests.

    Args:
        names: paths, `recipe/step`, or recipes below `work`.

    Raises:
        RequestError: a name means nothing, or a folder with no manifest in it.
    """
    folders = list(dict.fromkeys(each for name in names for each in _folders(work, name)))
    finished = [folder for folder in folders if (folder / MANIFEST).is_file()]
    sizes = _Read(sum(_listed_bytes(folder) for folder in finished), listen)
    checked = tuple(_check(folder, sizes) for folder in finished)
    return Verification(checked, tuple(folder for folder in folders if folder not in finished))


class _Read:
    """Counts the bytes read, for whoever listens."""

    def __init__(self, total: int, listen: Listen) -> None:
        self._done, self._total, self._listen = 0, total, listen

    def add(self, num_bytes: int) -> None:
        self._done += num_bytes
        self._listen(self._done, self._total)


def _check(folder: Path, read: _Read) -> Checked:
    try:
        manifest = read_manifest(folder / MANIFEST)
    except ValueError as error:
        broken = Difference(MANIFEST, "manifest", f"cannot be read: {error}")
        return Checked(folder, None, None, 0, 0, (broken,), _remedy(folder, None))
    artifact = Artifact(folder, manifest)
    differences = []
    for name, entry in manifest["files"].items():
        if (why := bad_name(name)) is not None:
            differences.append(Difference(name, "name", f"{why}: not read"))
        elif (found := compare_file(folder, name, entry)) is not None:
            differences.append(found)
        read.add(entry["bytes"])
    differences += extra_files(folder, set(manifest["files"]))
    differences += _of_identity(artifact)
    absent, changed = compare_inputs(artifact)
    return Checked(
        folder,
        artifact.step,
        artifact.digest,
        len(manifest["files"]),
        _listed_bytes(folder),
        (*differences, *(Difference(MANIFEST, "input", what) for what in changed)),
        _remedy(folder, artifact),
        absent,
    )


def _of_identity(artifact: Artifact) -> list[Difference]:
    """A part that a step made, such as its own samples, has no config and bears its address."""
    identity = artifact.manifest["identity"]
    address = digest_of(identity)[:ADDRESS_LENGTH]
    if address == artifact.address or "config" not in identity:
        return []
    what = f"its identity gives the address {address}, not {artifact.address}: it was edited"
    return [Difference(MANIFEST, "manifest", what)]


def _remedy(folder: Path, artifact: Artifact | None) -> str:
    if artifact is not None and is_publication(artifact):
        return "Download it again, or export it again."
    return f"Copy it again, or remove {folder} and run the recipe again: it is rebuilt."


def _listed_bytes(folder: Path) -> int:
    try:
        files = read_manifest(folder / MANIFEST)["files"]
    except ValueError:
        return 0
    return sum(entry["bytes"] for entry in files.values())


def _folders(work: Path, name: str) -> Iterator[Path]:
    """The folders that a name means, those of unfinished steps too."""
    path = _step_folder(work, name) or _existing(work, name)
    path = path.parent if path.name == MANIFEST else path
    if (path / MANIFEST).is_file():
        yield from (path, *(file.parent for file in sorted(path.glob(f"*/{MANIFEST}"))))
        return
    finished = [*sorted(path.glob(f"*/{MANIFEST}")), *sorted(path.glob(f"*/*/{MANIFEST}"))]
    if not finished:
        raise RequestError(
            f"{path} holds no {MANIFEST}, nor do the folders in it: there is nothing to compare "
            "it with. Expected a finished step, an export, a recipe's folder or a work directory."
        )
    runs = dict.fromkeys(file.parent.parent for file in finished)
    pattern = f"[A-Za-z]*-{'[0-9a-f]' * ADDRESS_LENGTH}"
    for run in runs:
        yield from (file.parent for file in finished if file.parent.parent == run)
        yield from (each for each in run.glob(pattern) if not (each / MANIFEST).is_file())


def _step_folder(work: Path, name: str) -> Path | None:
    """The latest finished artifact of `recipe/step`, whole or not."""
    recipe, _, step = name.partition("/")
    pattern = f"{step}-{'[0-9a-f]' * ADDRESS_LENGTH}/{MANIFEST}"
    if not step or set("*?[./") & set(step):
        return None
    found = oldest_first((work / recipe).glob(pattern))
    return found[-1].parent.absolute() if found else None


def _existing(work: Path, name: str) -> Path:
    for path in (Path(name), work / name):
        if path.exists():
            return path.absolute()
    known = [run.name for run in run_dirs(work)]
    raise RequestError(
        f"{name!r} is neither a path nor a recipe or step below {work}; {suggest(name, known)}"
    )
