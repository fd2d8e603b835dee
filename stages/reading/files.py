"""The files that a source is, and what each holds.

    file                   itself
    potstill's artifact    part-*.parquet at its top
    datasets.save_to_disk  the files that its state.json lists, of one split
    any other folder       what layout.py chooses by names and card

What a file holds is told by its first bytes, then by its name (CSV has no first bytes). No rows
are read here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...pipeline.errors import RequestError
from ...pipeline.shards import shard_files
from .arrow_files import ARROW_FILE, ARROW_STREAM, PARQUET
from .cards import CARD, chosen, subsets_of
from .layout import choose_names, suffix_of
from .packed import compression_of, unpacked
from .pieces import is_array
from .rows import readable


@dataclass(frozen=True)
class DataFile:
    """A file of a source."""

    path: Path
    format: str
    """jsonl, json, csv, parquet or arrow."""
    compression: str | None
    """gzip, zstd or None."""

    @property
    def bytes(self) -> int:
        """Its size on disk."""
        return self.path.stat().st_size


def find_files(path: Path, split: str | None = None, subset: str | None = None) -> list[DataFile]:
    """The files of a source, in the order in which they are read.

    Args:
        split: of a folder that has several; None where there is one.
        subset: of a folder whose README.md has `configs`.

    Raises:
        RequestError: nothing is there, a split must be chosen, or a file cannot be read.
    """
    if not path.exists():
        raise RequestError(f"{path} does not exist; expected a file or a folder of data")
    shards = [path] if path.is_file() else shard_files(path)
    if shards and (split or subset):
        raise RequestError(
            f"{path} has no splits or subsets to choose from; 'split' and 'subset' belong to "
            "hub data and to folders with files of several splits"
        )
    files = shards or _in_folder(path, split, subset)
    return [data_file(file) for file in files]


def data_file(path: Path) -> DataFile:
    """A file with what it holds.

    Raises:
        RequestError: it is of no known format.
    """
    return DataFile(path, *_kind(path))


def _in_folder(folder: Path, split: str | None, subset: str | None) -> list[Path]:
    if (folder / "dataset_dict.json").is_file():
        names = _saved_json(folder / "dataset_dict.json", "splits")
        return _saved(folder / chosen(folder, "split", sorted(names), split))
    if (folder / "state.json").is_file() and split is subset is None:
        return _saved(folder)
    below = [file for file in folder.rglob("*") if file.is_file()]
    names = [file.relative_to(folder).as_posix() for file in below]
    subsets = subsets_of(folder / CARD)
    return [folder / name for name in choose_names(folder, names, subsets, split, subset)]


def _saved(folder: Path) -> list[Path]:
    """The files of `Dataset.save_to_disk`, in its order."""
    names = [entry["filename"] for entry in _saved_json(folder / "state.json", "_data_files")]
    if strange := [name for name in names if Path(name).name != name]:
        raise RequestError(f"{folder}/state.json names {strange[0]!r}, which is not in its folder")
    return [folder / name for name in names]


def _saved_json(file: Path, key: str) -> list[Any]:
    try:
        return list(json.loads(file.read_bytes())[key])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RequestError(f"{file} is not what datasets.save_to_disk writes: {error}") from error


def _kind(file: Path) -> tuple[str, str | None]:
    """Format and compression."""
    compression = compression_of(file)
    with unpacked(file) as data:
        head = data.read(4096)
    for start, kind in ((PARQUET, "parquet"), (ARROW_FILE, "arrow"), (ARROW_STREAM, "arrow")):
        if head.startswith(start):
            if compression:
                raise RequestError(
                    f"{file} is {kind} packed with {compression}; unpack it first: {kind} is "
                    "compressed inside"
                )
            return kind, None
    return _text_kind(file, head), compression


def _text_kind(file: Path, head: bytes) -> str:
    suffix = suffix_of(file.name)
    if suffix in (".csv", ".tsv"):
        return "csv"
    if suffix in (".parquet", ".arrow", ".feather"):
        raise RequestError(
            f"{file} cannot be read as {suffix[1:]}: it begins with {readable(head[:12])!r} and "
            f"has {file.stat().st_size} bytes. It was cut, or is something else; fetch or build "
            "it again."
        )
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    array = is_array(head)
    if array is None:
        raise RequestError(
            f"{file} begins with {readable(head[:12])!r}: neither JSONL, a JSON array, parquet "
            "nor Arrow. Convert it to one of these (gzip or zstd will do); CSV is known by its "
            "name, .csv or .tsv."
        )
    return "json" if array else "jsonl"
