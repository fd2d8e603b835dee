"""sha256 of files, remembered by size, times and inode, so that a second look is free.

The time of change (ctime) is among them because no program can set it: a file that is copied over
with its old time and size is read again, and so is a copy on another machine. Within one tick of
the file system's clock two writes have the same time, so a file younger than a tick is waited for
before it is hashed. A file changed behind the file system's back keeps its old digest here; page
checksums and `verify` still find it. The cache is a convenience: deleting it costs only time.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from pathlib import Path
from typing import Final

from .errors import StepFailed
from .fingerprint import digest_file, digest_of
from .shards import shard_files, write_text

DIGESTS: Final = ".digests.json"
"""Name of the cache's file in a work directory."""
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "adapter_config.json",
)
"""What decides how a model folder behaves, beside its *.safetensors."""

_TICK: Final = 20_000_000
"""Nanoseconds: two ticks of the slowest kernel clock that stamps files (100 Hz)."""
_COARSE_TICK: Final = 2_000_000_000
"""Nanoseconds, for file systems that keep whole seconds (FAT: two)."""


class DigestCache:
    """Digests of files and model folders; `file` None keeps them in memory only.

    Files below the cache's own folder are known by their path from there, so that a work directory
    that is moved within a disk keeps its digests.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._home = None if file is None else file.parent.absolute()
        self._known: dict[str, list[object]] = {}
        self._changed = False
        if file is not None and file.exists():
            with contextlib.suppress(ValueError):  # a torn cache is only a slower start
                known = json.loads(file.read_text(encoding="utf-8"))
                self._known = known if isinstance(known, dict) else {}

    def digest(self, path: Path) -> str:
        """sha256 of a file, hex."""
        if (known := self.known(path)) is not None:
            return known
        _let_settle(path)
        mark = _mark(path)
        digest = digest_file(path)
        if mark == _mark(path) and not _is_fresh(path):
            self._known[self._key(path)] = [*mark, digest]
            self._changed = True
        return digest

    def known(self, path: Path) -> str | None:
        """The digest remembered for the file as it is now; None if it was not read since."""
        known = self._known.get(self._key(path))
        is_entry = isinstance(known, list) and len(known) == 5
        return str(known[4]) if known and is_entry and known[:4] == _mark(path) else None

    def digest_path(self, path: Path) -> str:
        """Digest of a file's bytes, or of what decides a model folder's behaviour."""
        if path.is_file():
            return self.digest(path)
        names = [name for name in MODEL_FILES if (path / name).is_file()]
        names += sorted(file.name for file in path.glob("*.safetensors"))
        return digest_of({name: self.digest(path / name) for name in names})

    def digest_data(self, path: Path) -> str:
        """Digest of a data file, or of all files that a data folder is read from."""
        if path.is_file():
            return self.digest(path)
        files = shard_files(path) or [
            file for file in sorted(path.rglob("[!.]*")) if file.is_file()
        ]
        return digest_of({str(file.relative_to(path)): self.digest(file) for file in files})

    def forgettable(self) -> list[str]:
        """Entries of files that are not there any more."""
        home = self._home or Path()
        return [key for key in self._known if not os.path.lexists(home / key)]

    def forget(self, keys: list[str]) -> None:
        """Drop entries."""
        for key in keys:
            self._changed = self._known.pop(key, None) is not None or self._changed

    def save(self) -> None:
        """Keep what was learned, if a file was given and its folder can be written."""
        if self._file is None or not self._changed:
            return
        try:
            write_text(self._file, json.dumps(self._known))
        except StepFailed:
            return  # the disk is full: a look at what fills it must not fail by this
        except OSError as error:
            # Nor may a look at a folder on a read-only disk, or of another user.
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise

    def _key(self, path: Path) -> str:
        full = path.absolute()
        is_ours = self._home is not None and full.is_relative_to(self._home)
        return str(full.relative_to(self._home) if is_ours and self._home else full)


def _mark(path: Path) -> list[object]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _is_fresh(path: Path) -> bool:
    """Whether the file could be changed now without its time changing."""
    return _age(path) < _tick(path)


def _let_settle(path: Path) -> None:
    left = _tick(path) - _age(path)
    if 0 < left <= _tick(path):  # a file from the future is not waited for: it is not remembered
        time.sleep(left / 1e9)


def _age(path: Path) -> int:
    return time.time_ns() - path.stat().st_ctime_ns


def _tick(path: Path) -> int:
    return _TICK if path.stat().st_ctime_ns % 1_000_000_000 else _COARSE_TICK
