"""sha256 of files, remembered by size, time of change and inode, so that a second look is free.

A file changed behind the file system's back keeps its old digest here; page checksums still find
it when it is read. The cache is a convenience: deleting it changes nothing but time.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from .fingerprint import digest_file, digest_of
from .shards import shard_files, write_text

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


class DigestCache:
    """Digests of files and model folders; `file` None keeps them in memory only."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, list[object]] = {}
        self._changed = False
        if file is not None and file.exists():
            with contextlib.suppress(ValueError):  # a torn cache is only a slower start
                self._known = json.loads(file.read_text(encoding="utf-8"))

    def digest(self, path: Path) -> str:
        """sha256 of a file, hex."""
        stat = path.stat()
        mark: list[object] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        known = self._known.get(str(path))
        if known is not None and known[:3] == mark:
            return str(known[3])
        digest = digest_file(path)
        self._known[str(path)] = [*mark, digest]
        self._changed = True
        return digest

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

    def save(self) -> None:
        """Keep what was learned, if a file was given."""
        if self._file is not None and self._changed:
            write_text(self._file, json.dumps(self._known))
