"""Any file, or folder of files, as rows: which reader a path needs, and which files make it up.

Formats are told by the first bytes: parquet, Arrow, else text. In a folder the files of one kind
are one dataset, in the natural order of their names; what is of another kind is passed over and
named, never mixed in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..pipeline.artifact import MANIFEST
from ..pipeline.errors import RequestError
from ..pipeline.locate import finished_below
from ..pipeline.suggest import MAX_LISTED
from .arrow_rows import arrow_rows
from .rows import Rows, parquet_rows
from .text_rows import text_rows

KINDS = ("parquet", "arrow", "text")
"""In a folder the first kind that there is makes the rows."""
TEXT_NAMES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
_MAGIC = {b"PAR1": "parquet", b"ARRO": "arrow", b"\xff\xff\xff\xff": "arrow"}


@dataclass(frozen=True)
class Source:
    """Files opened as rows."""

    rows: Rows
    kind: str
    files: list[Path]
    passed_over: list[Path]

    def shards(self) -> list[dict[str, Any]]:
        """`path`, `bytes` and, of parquet, `rows` of each file."""
        return shard_facts(self.files, self.rows)


def open_source(path: Path, whole: bool) -> Source:
    """The rows of a file, or of the data files in a folder and below.

    Args:
        whole: all rows; otherwise long text files are read in part.

    Raises:
        RequestError: it cannot be opened, or holds no row that can be read.
    """
    if path.is_dir():
        kind, files, passed_over = _in_folder(path)
    else:
        kind, files, passed_over = _kind_of(path), [path], []
    rows = text_rows(files, whole) if kind == "text" else _READERS[kind](files)
    return Source(rows, kind, files, passed_over)


_READERS = {"parquet": parquet_rows, "arrow": arrow_rows}


def shard_facts(files: Sequence[Path], rows: Rows) -> list[dict[str, Any]]:
    """`path`, `bytes` and, where their rows are counted, `rows` of each file."""
    facts: list[dict[str, Any]] = [
        {"path": str(file), "bytes": file.stat().st_size} for file in files
    ]
    for fact, number in zip(facts, rows.part_rows, strict=False):
        fact["rows"] = number
    return facts


def _in_folder(folder: Path) -> tuple[str, list[Path], list[Path]]:
    if steps := finished_below(folder):
        raise RequestError(_several_steps(folder, steps))
    try:
        files = [file for file in folder.rglob("*") if file.is_file() and _is_seen(file, folder)]
    except OSError as error:
        raise RequestError(f"{error.filename} cannot be opened: {error.strerror}") from error
    files.sort(key=lambda file: _natural(file.relative_to(folder)))
    kinds = {file: _kind_of(file) for file in files}
    data = [file for file in files if kinds[file] != "text" or _is_named_as_text(file)]
    for kind in KINDS:
        if own := [file for file in data if kinds[file] == kind]:
            return kind, own, [file for file in files if file not in set(own)]
    raise RequestError(
        f"{folder} has no {MANIFEST} and no data file (parquet, Arrow, {', '.join(TEXT_NAMES)}): "
        "name a finished step, a file, or a folder of data files."
    )


def _is_seen(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _several_steps(folder: Path, steps: Sequence[Path]) -> str:
    """What to say of a work directory, or of one recipe's folder in it."""
    named = [str(step.relative_to(folder)) for step in steps]
    lines = [f"  potstill inspect {shlex.quote(str(step))}" for step in steps[:MAX_LISTED]]
    if len(steps) > MAX_LISTED:
        lines.append(f"  and {len(steps) - MAX_LISTED:,} more")
    what = "a work directory" if "/" in named[0] else "the folder of a recipe"
    told = "1 finished step" if len(steps) == 1 else f"{len(steps):,} finished steps"
    return f"{folder} is {what} with {told}; look at one of them:\n" + "\n".join(lines)


def _is_named_as_text(file: Path) -> bool:
    suffixes = [suffix for suffix in file.suffixes if suffix not in (".gz", ".zst")]
    return bool(suffixes) and suffixes[-1].lower() in TEXT_NAMES


def _kind_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise RequestError(f"{file} cannot be opened: {error.strerror}") from error
    if file.suffix.lower() == ".parquet":
        return "parquet"
    return _MAGIC.get(start, "arrow" if file.suffix.lower() == ".arrow" else "text")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Names with their numbers as numbers: part-2 comes before part-10."""
    pieces = re.split(r"(\d+)", str(path))
    return [(int(p), p) if p.isdigit() else (0, p) for p in pieces]
