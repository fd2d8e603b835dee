"""From a file, a folder or a hub snapshot to rows; every format gives the same `Row`s.

    JSONL, JSON array, either gzipped    text_files.py: one bad row costs one row
    parquet, or a folder of part-*       page checksums verified; values as the schema declares
    any other folder                     `datasets.load_dataset`, streamed (hub snapshots too)

What the columns mean is decided in `columns.py`. Nothing is fetched here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...pipeline.errors import RequestError
from ...pipeline.shards import read_table, shard_files
from .rows import Quarantined, Row, readable
from .text_files import read_text_rows

_PARQUET = b"PAR1"
_BATCH = 1000


def read_rows(
    path: Path, split: str | None = None, subset: str | None = None
) -> Iterator[Row | Quarantined]:
    """Rows of a source, in its order.

    Args:
        split, subset: which part of a folder that `datasets` opens; for nothing else.

    Raises:
        RequestError: the source is not there, not whole, or of no known format.
    """
    if path.is_dir() and not shard_files(path):
        yield from _dataset_rows(path, split, subset)
        return
    if split or subset:
        raise RequestError(
            f"{path} has no splits or subsets to choose from; 'split' and 'subset' belong to "
            "hub data and to folders that the datasets library opens"
        )
    if path.is_dir():
        yield from _parquet_rows(shard_files(path))
    elif _is_parquet(path):
        yield from _parquet_rows([path])
    else:
        yield from read_text_rows(path)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return path.suffix.lower() == ".parquet" or file.read(4) == _PARQUET
    except OSError as error:
        raise RequestError(f"{path} cannot be opened: {error.strerror}") from error


def _parquet_rows(files: Sequence[Path]) -> Iterator[Row | Quarantined]:
    numbers = itertools.count(1)
    for file in files:
        table = read_table(file)
        names = table.schema.names
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise RequestError(f"{file} has several columns of the same name: {doubled}")
        for batch in table.to_batches(max_chunksize=_BATCH):
            yield from _batch_rows(batch, numbers)


def _batch_rows(batch: Any, numbers: Iterator[int]) -> Iterator[Row | Quarantined]:
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):  # some value has no Python form: find out which row's
        for index in range(batch.num_rows):
            yield _arrow_row(batch.slice(index, 1), next(numbers))
    else:
        yield from (Row(next(numbers), values) for values in rows)


def _arrow_row(one: Any, number: int) -> Row | Quarantined:
    try:
        return Row(number, one.to_pylist()[0])
    except UnicodeDecodeError:
        reason = "invalid_utf8"
    except (ValueError, OverflowError):
        reason = "unreadable_value"
    cells = (f"{name}: {_cell(one.column(name))}" for name in one.schema.names)
    return Quarantined(number, reason, "\n".join(cells))


def _cell(column: Any) -> str:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        raw = column.cast(pa.large_binary())[0].as_py()
        return "null" if raw is None else readable(raw)
    return readable(str(column).encode("utf-8", "backslashreplace"))


def _dataset_rows(folder: Path, split: str | None, subset: str | None) -> Iterator[Row]:
    try:
        import datasets
    except ImportError as error:
        raise RequestError(
            f"reading the folder {folder} needs the datasets library; install it with: "
            "pip install 'potstill[hub]'"
        ) from error
    try:
        chosen = _choose_split(datasets.get_dataset_split_names(str(folder), subset), split)
        stream = datasets.load_dataset(str(folder), subset, split=chosen, streaming=True)
        for number, values in enumerate(stream, start=1):
            yield Row(number, dict(values))
    except RequestError as error:
        raise RequestError(f"{folder}: {error}") from error
    # The builders of `datasets` raise a dozen classes; all say that they cannot read this folder.
    except Exception as error:
        first = (str(error).strip().split("\n") or [""])[0]
        raise RequestError(
            f"{folder}: the datasets library cannot read it ({type(error).__name__}: {first}). "
            "Expected a folder of JSONL, JSON, CSV or parquet files"
        ) from error


def _choose_split(known: Sequence[str], wanted: str | None) -> str:
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    what = f"there is no split {wanted!r}" if wanted else "several splits, choose one by 'split'"
    raise RequestError(f"{what}; it has: {', '.join(known)}")
