"""A finished step on disk: `<step>-<hash8>/` with its files and a manifest written last.

The manifest's presence means whole; each listed file's sha256 is compared when the artifact is
opened. `digest` is a hash of the content, so a consumer can tell that its input was rebuilt with
other bytes under the same address (`stale`). Clocks go to `timing.json`, never to the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from .errors import StepFailed
from .file_names import bad_name
from .fingerprint import digest_of
from .sample import Sample
from .sample_batches import samples_of
from .shards import read_table, shard_files, write_text
from .statcache import DigestCache

MANIFEST = "manifest.json"
TIMING = "timing.json"


@dataclass(frozen=True)
class Artifact:
    """An opened artifact; `manifest` is its parsed manifest.json."""

    path: Path
    manifest: Mapping[str, Any]
    hashed: bool = True
    """Every file's sha256 was compared, now or when its digest was remembered; False: of some
    files only the size was."""

    @property
    def step(self) -> str:
        return str(self.manifest["step"])

    @property
    def kind(self) -> str:
        return str(self.manifest["identity"]["kind"])

    @property
    def address(self) -> str:
        return str(self.manifest["address"])

    @cached_property
    def digest(self) -> str:
        """Hash of the names and bytes of all files: what this artifact *is*."""
        files = self.manifest["files"]
        return digest_of({name: entry["sha256"] for name, entry in files.items()})

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(self.manifest["metrics"])

    @property
    def rows(self) -> int | None:
        """Number of samples, None for artifacts that hold no samples."""
        value = self.manifest["rows"]
        return None if value is None else int(value)

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """The samples as one Arrow table (columns of SAMPLE_SCHEMA, and what `mix` added)."""
        return read_table(shard_files(self.path), columns)

    def frame(self, columns: list[str] | None = None) -> pl.DataFrame:
        """The samples as a polars frame."""
        frame = pl.from_arrow(self.table(columns))
        if not isinstance(frame, pl.DataFrame):
            raise TypeError(f"{self.path} did not read as a table")
        return frame

    def samples(self) -> Iterator[Sample]:
        """The samples, shard by shard."""
        for batch in self.batches():
            yield from samples_of(batch)

    def batches(self, rows: int = 1000) -> Iterator[pa.RecordBatch]:
        """The samples as Arrow batches of at most `rows`, shard by shard."""
        for file in shard_files(self.path):
            yield from read_table(file).to_batches(max_chunksize=rows)

    def verdict_table(self, name: str) -> pa.Table:
        """Verdicts of one filter with VERDICT_SCHEMA, row-aligned with the samples judged."""
        return read_table(shard_files(self.path / "verdicts" / name))

    def is_stale(self, inputs: Mapping[str, Artifact]) -> bool:
        """Whether an input holds other content than the one this was made from."""
        recorded = self.manifest["inputs"]
        return any(recorded.get(name) != artifact.digest for name, artifact in inputs.items())


def open_artifact(path: Path, cache: DigestCache | None = None) -> Artifact | None:
    """The artifact at `path`, its files compared with the manifest; None where none was finished.

    Raises:
        StepFailed: a file is missing or differs from its sha256.
    """
    cache = cache or DigestCache(None)
    manifest = _read_manifest(path)
    for name, entry in _files_of(path, manifest):
        if cache.digest(path / name) != entry["sha256"]:
            raise StepFailed(_damage(path, f"{name} does not have the sha256 of the manifest"))
    return None if manifest is None else Artifact(path, manifest)


def glance(path: Path, cache: DigestCache) -> Artifact | None:
    """The artifact at `path` as `open_artifact` gives it, but no file is read to be hashed.

    A file whose digest is remembered is compared with the manifest; of any other only the size
    is, and the artifact is not `hashed`. So a look at gigabytes takes no minutes; `verify` reads
    them.

    Raises:
        StepFailed: a file is missing, or differs in what is compared.
    """
    manifest = _read_manifest(path)
    hashed = True
    for name, entry in _files_of(path, manifest):
        digest = cache.known(path / name)
        hashed = hashed and digest is not None
        size = (path / name).stat().st_size
        if size != entry["bytes"]:
            what = f"{name} has {size:,} bytes and {entry['bytes']:,} in the manifest"
            raise StepFailed(_damage(path, what))
        if digest not in (None, entry["sha256"]):
            raise StepFailed(_damage(path, f"{name} does not have the sha256 of the manifest"))
    return None if manifest is None else Artifact(path, manifest, hashed)


def _read_manifest(path: Path) -> dict[str, Any] | None:
    manifest_file = path / MANIFEST
    if not manifest_file.exists():
        return None
    try:
        manifest: dict[str, Any] = json.loads(manifest_file.read_text(encoding="utf-8"))
        manifest["files"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepFailed(_damage(path, f"{MANIFEST} cannot be read ({error})")) from error
    return manifest


def _files_of(
    path: Path, manifest: Mapping[str, Any] | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the manifest lists, all of it there."""
    for name, entry in (manifest or {}).get("files", {}).items():
        if (why := bad_name(name)) is not None:
            raise StepFailed(_damage(path, f"its {MANIFEST} lists {name!r}, which {why}"))
        if not (path / name).is_file():
            raise StepFailed(_damage(path, f"{name} is missing"))
        yield name, entry


def write_manifest(
    path: Path,
    body: Mapping[str, Any],
    timing: Mapping[str, Any],
    cache: DigestCache | None = None,
) -> None:
    """List every file with its sha256 and write the manifest last; `timing` goes beside it.

    Args:
        cache: remembers the digests, so that nobody reads the files again for them.
    """
    cache = cache or DigestCache(None)
    files = {
        str(file.relative_to(path)): {
            "bytes": file.stat().st_size,
            "sha256": cache.digest(file),
        }
        for file in sorted(path.rglob("*"))
        if file.is_file() and file not in (path / MANIFEST, path / TIMING)
    }
    write_text(path / TIMING, json.dumps(timing, indent=1, sort_keys=True) + "\n")
    text = json.dumps({**body, "files": files}, ensure_ascii=False, indent=1, sort_keys=True)
    write_text(path / MANIFEST, text + "\n", "manifest")


def _damage(path: Path, what: str) -> str:
    return (
        f"artifact {path} is damaged: {what}. Expected exactly the files that were written. "
        f"Remove the folder and run the recipe again to rebuild it."
    )
