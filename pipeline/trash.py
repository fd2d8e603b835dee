"""Removing folders so that a kill at any instant leaves nothing half that counts as whole.

A folder loses its manifest first, is then renamed to `.trash` beside it, and emptied there; the
next removal empties what a killed one left. Nothing is written, so that it works on a full disk.
Links are removed, never followed. What may be removed is decided elsewhere (`unneeded.py`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from .artifact import MANIFEST
from .errors import StepFailed, StoppedOnPurpose
from .shards import sync_path

TRASH: Final = ".trash"


def files_in(path: Path) -> Iterator[Path]:
    """The path itself, or all files and links below it; folders behind links are not entered."""
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        links = (name for name in folders if (Path(folder) / name).is_symlink())
        yield from (Path(folder) / name for name in (*files, *links))


def bytes_in(path: Path) -> int:
    """Bytes of all files, each of several names of one file counted once."""
    sizes = {(stat.st_dev, stat.st_ino): stat.st_size for stat in _stats_in(path)}
    return sum(sizes.values())


def freed_by(paths: Iterable[Path]) -> int:
    """Bytes that the disk gets back: of files all of whose names (hard links) are removed."""
    names: Counter[tuple[int, int]] = Counter()
    stats = {}
    for path in paths:
        for stat in _stats_in(path):
            names[stat.st_dev, stat.st_ino] += 1
            stats[stat.st_dev, stat.st_ino] = stat
    return sum(stat.st_size for key, stat in stats.items() if names[key] >= stat.st_nlink)


def _stats_in(path: Path) -> Iterator[os.stat_result]:
    for file in files_in(path):
        with contextlib.suppress(FileNotFoundError):  # a run that goes on renames its files
            yield file.lstat()


def remove(paths: Sequence[Path]) -> None:
    """Remove files and folders, a `.trash` before what lies beside it; the caller holds the lock.

    Raises:
        StepFailed: something cannot be removed.
        StoppedOnPurpose: Ctrl-C.
    """
    done = 0
    try:
        for path in paths:
            _remove_one(path)
            done += 1
    except OSError as error:
        raise StepFailed(
            f"{error.filename} cannot be removed: {error.strerror}. {done} of {len(paths)} are "
            "gone. Mend its permissions, then run the same command again."
        ) from error
    except KeyboardInterrupt as error:
        raise StoppedOnPurpose(
            f"stopped after removing {done} of {len(paths)}; run the same command to go on"
        ) from error


def _remove_one(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        sync_path(path.parent)
        return
    doomed = path.with_name(TRASH)
    if doomed != path:
        (path / MANIFEST).unlink(missing_ok=True)
        sync_path(path)
        path.rename(doomed)
        sync_path(path.parent)
    shutil.rmtree(doomed)
