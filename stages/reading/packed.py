"""A file as its bytes: gzip and zstd unpacked, what must not be opened refused.

What a file is packed with is told by its first bytes, never by its name. What it unpacks to has a
cap, so that a few kilobytes of zeros do not run for days; damage is an error that names the file.
Archives and files that can hold programs (pickles) are refused with advice. Rows are not known
here.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Protocol

import pyarrow as pa

from ...pipeline.errors import RequestError

MAX_UNPACKED_BYTES = 64 << 30
"""What a packed file may unpack to."""
READ_BYTES = 4 << 20
"""Bytes of text asked for at once: some thousand rows of 1 kB."""

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = tuple(bytes([0x50 + low]) + b"\x2a\x4d\x18" for low in range(16))
"""How zstd files may begin too: with a frame to pass over (pzstd writes them)."""
_NO_CODE = "It can hold code that runs when it is opened, so it never is. Write JSONL or parquet."
_UNPACK = "Unpack it and give the file or the folder that comes out."
_REFUSED_STARTS: Final = {
    b"PK\x03\x04": f"is a zip archive (an .npz or a checkpoint is one too). {_UNPACK}",
    b"PK\x05\x06": f"is an empty zip archive. {_UNPACK}",
    b"BZh": f"is packed with bzip2. {_UNPACK}",
    b"\xfd7zXZ\x00": f"is packed with xz. {_UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"is a 7z archive. {_UNPACK}",
    b"\x93NUMPY": f"is a numpy array. {_NO_CODE}",
    b"\x80\x02": f"is a pickle. {_NO_CODE}",
    b"\x80\x03": f"is a pickle. {_NO_CODE}",
    b"\x80\x04": f"is a pickle. {_NO_CODE}",
    b"\x80\x05": f"is a pickle. {_NO_CODE}",
    b"SQLite format 3": "is a SQLite database. Export its rows as JSONL or CSV.",
    b"FEA1": "is Feather version 1. Write it again as Feather 2 (Arrow IPC) or parquet.",
}
_TAR_MARK: Final = (257, b"ustar")
REFUSED_NAMES: Final = {
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".bin", ".npy", ".npz", ".ckpt"), _NO_CODE),
    ".py": "potstill runs no code of a dataset. Let the script write JSONL or parquet first.",
    ".tar": _UNPACK,
    ".tgz": _UNPACK,
    ".zip": _UNPACK,
}
"""By suffix, why a file is not opened."""


class Bytes(Protocol):
    """What is read from."""

    def read(self, size: int = ..., /) -> bytes: ...


def compression_of(path: Path) -> str | None:
    """gzip, zstd or None, by the first bytes.

    Raises:
        RequestError: the file cannot be opened, or is of a kind that must not be.
    """
    refuse_name(path)
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise RequestError(f"{path} cannot be opened: {error.strerror}") from error
    _refuse_start(path, head)
    if head.startswith(GZIP):
        return "gzip"
    return "zstd" if head.startswith((ZSTD, *_SKIPPABLE)) else None


def refuse_name(path: Path) -> None:
    """Refuse what its name says must not be opened.

    Raises:
        RequestError: with what to do instead.
    """
    if why := REFUSED_NAMES.get(path.suffix.lower()):
        raise RequestError(f"{path} is not read as data. {why}")


@contextlib.contextmanager
def unpacked(path: Path, max_unpacked: int = MAX_UNPACKED_BYTES) -> Iterator[Unpacked]:
    """The bytes of a file, unpacked.

    Raises:
        RequestError: it cannot be opened, is damaged, or unpacks to more than the cap.
    """
    packed = compression_of(path)
    with path.open("rb") as raw, contextlib.ExitStack() as stack:
        file: Bytes = raw
        if packed == "gzip":
            file = stack.enter_context(gzip.open(raw))
        elif packed == "zstd":
            file = stack.enter_context(pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))
        yield Unpacked(path, raw, file, packed, max_unpacked)


class Unpacked:
    """The bytes of one file in order; see `unpacked`."""

    def __init__(
        self, path: Path, raw: IO[bytes], file: Bytes, packed: str | None, most: int
    ) -> None:
        self.path = path
        self._raw = raw
        self._file = file
        self._packed = packed
        self._most = most
        self._read = 0

    @property
    def position(self) -> int:
        """How much of the file on disk was read, in bytes."""
        return self._raw.tell()

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next bytes, empty at the end."""
        try:
            data = self._file.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error, pa.ArrowException, OSError) as error:
            if self._packed is None:
                raise
            raise RequestError(
                f"{self.path} is not a whole {self._packed} file: {error}. Fetch it again, or "
                "unpack what is left of it and give the unpacked file."
            ) from error
        if self._read == 0:
            _refuse_start(self.path, data)
        self._read += len(data)
        if self._packed and self._read > self._most:
            raise RequestError(
                f"{self.path}: what it unpacks to is larger than {self._most} bytes, the most "
                "that is read. Split or unpack it first."
            )
        return data


def _refuse_start(path: Path, head: bytes) -> None:
    for start, why in _REFUSED_STARTS.items():
        if head.startswith(start):
            raise RequestError(f"{path} {why}")
    at, mark = _TAR_MARK
    if head[at:].startswith(mark):
        raise RequestError(f"{path} is a tar archive. {_UNPACK}")
