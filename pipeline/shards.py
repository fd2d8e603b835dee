"""Tables on disk: parquet shards written so that a crash at any instant leaves no half file.

Every file goes to a temporary name, is fsynced, renamed, and its directory fsynced. Pages carry
checksums, since 189 of 200 single-bit flips were silent without them (reference/reliability.md,
2.2). Row order is the order given; nothing is sorted or dropped here.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .disk import disk_failure
from .errors import RequestError
from .failpoints import fail_point
from .sample import SAMPLE_SCHEMA, Sample

ROWS_PER_SHARD = 10_000
_TEMPORARY = re.compile(r"\..+\.(?P<pid>[0-9]+)\.tmp")


@contextlib.contextmanager
def atomic_path(target: Path, family: str = "file") -> Iterator[Path]:
    """A temporary path beside `target`, published under its name when the block succeeds.

    Args:
        family: of the fail points that are passed (failpoints.py).

    Raises:
        StepFailed: the disk is full or broken; nothing half is left behind.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fail_point(f"{family}.write.before")
        temporary.unlink(missing_ok=True)  # a link of that name would be written through
        yield temporary
        fail_point(f"{family}.write.after")
        _publish(temporary, target, family)
    except OSError as error:
        failure = disk_failure(error, target)
        if failure is None:
            raise
        raise failure from error
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, target: Path, family: str) -> None:
    fail_point(f"{family}.fsync.before")
    sync_path(temporary)
    fail_point(f"{family}.fsync.after")
    fail_point(f"{family}.rename.before")
    os.replace(temporary, target)
    fail_point(f"{family}.rename.after")
    fail_point(f"{family}.dirsync.before")
    sync_path(target.parent)
    fail_point(f"{family}.dirsync.after")


def orphans(folder: Path, deep: bool = True) -> Iterator[Path]:
    """Temporary files that a killed process left in `folder`; `deep`: and below it.

    Only files named as `atomic_path` names them, and none whose process still lives: another
    command (`plan`) may be writing at this moment.
    """
    for file in folder.rglob(".*.tmp") if deep else folder.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(file.name)
        if match and not _is_alive(int(match["pid"])):
            yield file


def remove_orphans(folder: Path, deep: bool = True) -> None:
    """Remove the temporary files that a killed process left."""
    for file in list(orphans(folder, deep)):
        file.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():  # we write nothing now: it is of another process that had our number
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_text(target: Path, text: str, family: str = "file") -> None:
    """Write a small text file atomically, as UTF-8."""
    with atomic_path(target, family) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_table(target: Path, table: pa.Table) -> None:
    """Write one parquet file atomically, zstd, with page checksums and fixed options."""
    with atomic_path(target, "shard") as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


class TableWriter:
    """Tables put one after another become the shards of a folder; memory holds one shard.

    How the rows are cut into tables does not show in the shards. A set without rows is one empty
    shard, so that it can be opened.
    """

    def __init__(
        self, folder: Path, schema: pa.Schema, rows_per_shard: int = ROWS_PER_SHARD
    ) -> None:
        self.total = 0
        """Rows put so far."""
        self._folder = folder
        self._schema = schema
        self._rows_per_shard = rows_per_shard
        self._waiting: list[pa.Table] = []
        self._shards = 0

    def put(self, table: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(table)
        self.total += table.num_rows
        size = self._rows_per_shard
        waiting = self.total - self._shards * size
        if waiting >= size:
            whole = pa.concat_tables(self._waiting)
            end = waiting - waiting % size
            for start in range(0, end, size):
                self._write(whole.slice(start, size))
            self._waiting = [whole.slice(end)]

    def close(self) -> None:
        """Write what waits."""
        rest = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        self._waiting = []
        if rest.num_rows or not self._shards:
            self._write(rest)

    def _write(self, table: pa.Table) -> None:
        # One chunk: how a table is cut into chunks shows in the pages of the parquet.
        write_table(self._folder / f"part-{self._shards:05d}.parquet", table.combine_chunks())
        self._shards += 1


class RowWriter:
    """Rows put one by one become the shards of a folder, as `TableWriter` writes them."""

    def __init__(
        self, folder: Path, schema: pa.Schema, rows_per_shard: int = ROWS_PER_SHARD
    ) -> None:
        self._tables = TableWriter(folder, schema, rows_per_shard)
        self._schema = schema
        self._rows_per_shard = rows_per_shard
        self._waiting: list[Mapping[str, Any]] = []

    @property
    def total(self) -> int:
        """Rows put so far."""
        return self._tables.total + len(self._waiting)

    def put(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._waiting.append(row)
        if len(self._waiting) == self._rows_per_shard:
            self._hand_on()

    def put_table(self, table: pa.Table) -> None:
        """Add the rows of a table of the same schema."""
        self._hand_on()
        self._tables.put(table)

    def close(self) -> None:
        """Write what waits."""
        self._hand_on()
        self._tables.close()

    def _hand_on(self) -> None:
        self._tables.put(pa.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting = []


def write_rows(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    schema: pa.Schema,
    rows_per_shard: int = ROWS_PER_SHARD,
) -> int:
    """Write rows as part-00000.parquet …; returns their number. No rows: one empty shard."""
    writer = RowWriter(folder, schema, rows_per_shard)
    for row in rows:
        writer.put(row)
    writer.close()
    return writer.total


def write_samples(folder: Path, samples: Iterable[Sample]) -> int:
    """Write samples as the shards of an artifact; returns their number."""
    return write_rows(folder, (sample.to_row() for sample in samples), SAMPLE_SCHEMA)


def shard_files(folder: Path) -> list[Path]:
    """The shards of a folder in order."""
    return sorted(folder.glob("part-*.parquet"))


def read_table(files: Sequence[Path] | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read shards into one table with page checksums verified.

    Raises:
        RequestError: a file is not whole parquet; the message names it.
    """
    files = [files] if isinstance(files, Path) else list(files)
    tables = [_read_file(file, columns) for file in files]
    return pa.concat_tables(tables, promote_options="none") if tables else pa.table({})


def _read_file(file: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            return parquet.read(columns=list(columns) if columns else None)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise RequestError(
            f"{file} cannot be read as parquet: {error}. Expected a whole file of "
            f"{file.stat().st_size if file.exists() else 'no'} bytes; fetch or build it again."
        ) from error


def sync_path(path: Path) -> None:
    """Make a file's content, or a folder's names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
