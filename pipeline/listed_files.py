"""The files of one folder against the list in its manifest: missing, changed, extra.

Names come from a file that anyone may have written, so they are checked before they are used, and
a link is followed only within the folder or into the blobs of a hub cache, where snapshots are
links. Devices and pipes are never opened.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from .artifact import MANIFEST, TIMING
from .fingerprint import digest_file
from .shards import orphans
from .trash import files_in

CARD: Final = "README.md"
_BY_THE_HUB: Final = (".gitattributes", ".cache/huggingface/", ".huggingface/", ".git/")
"""What a download from the hub puts beside the files."""


@dataclass(frozen=True)
class Difference:
    """Something that is not as the manifest says."""

    name: str
    kind: str
    """missing, changed, truncated, extra, link, unreadable, name, manifest or input."""
    what: str

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {"name": self.name, "kind": self.kind, "what": self.what}


def compare_file(folder: Path, name: str, entry: Mapping[str, Any]) -> Difference | None:
    """One listed file, read once; None where it is as listed."""
    file = folder / name
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return Difference(name, "changed", "is no file but a folder, a pipe or a device")
        if not _is_inside(folder, file):
            where = "is a link to somewhere outside the folder: not followed"
            return Difference(name, "link", where)
        size = file.stat().st_size
        if size == entry["bytes"] and digest_file(file) == entry["sha256"]:
            return None
    except FileNotFoundError:
        return Difference(name, "missing", f"is missing ({entry['bytes']:,} bytes)")
    except OSError as error:
        return Difference(name, "unreadable", f"cannot be read: {error.strerror}")
    return Difference(name, *_what_differs(file, size, entry["bytes"]))


def extra_files(folder: Path, listed: Set[str]) -> list[Difference]:
    """Files that the manifest does not list, but for those that are always beside them."""
    found = []
    left = set(orphans(folder))
    for file in sorted(files_in(folder)):
        name = file.relative_to(folder).as_posix()
        own = name in (MANIFEST, TIMING) or file in left
        if name not in listed and not own and not name.startswith(_BY_THE_HUB):
            found.append(Difference(name, "extra", "is not in the manifest"))
    return found


def _is_inside(folder: Path, file: Path) -> bool:
    target, home = file.resolve(), folder.resolve()
    if target.is_relative_to(home):
        return True
    # …/snapshots/<commit>/<file> → …/blobs/<sha>: how a hub cache keeps a download
    cache = home.parent.parent
    return home.parent.name == "snapshots" and target.is_relative_to(cache / "blobs")


def _what_differs(file: Path, size: int, listed: int) -> tuple[str, str]:
    damage = _damage(file) if file.suffix == ".parquet" else None
    if damage is not None and size < listed:
        return "truncated", f"is cut short: {size:,} of {listed:,} bytes"
    if damage is not None:
        return "changed", f"has damaged bytes: {damage}"
    if size == listed:
        told = f"has other content in the same {size:,} bytes"
    else:
        told = f"has {size:,} bytes and {listed:,} in the manifest"
    if file.name == CARD:
        told += " (a card is often edited on the hub's page)"
    return "changed", told


def _damage(file: Path) -> str | None:
    """What parquet's own checksums say; None: it is sound, so another file stands in its place."""
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            for _ in parquet.iter_batches():
                pass
    except (pa.ArrowException, OSError, ValueError) as error:
        return str(error).split("\n", 1)[0]
    return None
