"""The external shuffle: any order, exact shards, the same bytes however it is cut."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.shards import write_table
from potstill.stages.mixing import reorder as module
from potstill.stages.mixing.reorder import reorder

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("turns", pa.list_(pa.struct([("content", pa.string())]))),
        ("made", pa.struct([("index", pa.int64())])),
    ]
)


def row(number: int) -> dict[str, object]:
    """Texts, nothing and nested values by turns."""
    turns = [{"content": f"question {number}"}, {"content": None}][: number % 3]
    return {
        "id": f"row {number}" if number % 5 else None,
        "turns": turns,
        "made": {"index": number} if number % 2 else None,
    }


def files_of(folder: Path, sizes: list[int]) -> list[Path]:
    """Shards of these sizes; the rows are counted through."""
    shutil.rmtree(folder, ignore_errors=True)
    made, start = [], 0
    for index, size in enumerate(sizes):
        rows = [row(number) for number in range(start, start + size)]
        made.append(folder / f"part-{index:05d}.parquet")
        write_table(made[-1], pa.Table.from_pylist(rows, schema=SCHEMA))
        start += size
    return made


class Case(NamedTuple):
    sizes: list[int]
    rows: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5))
    count = sum(sizes)
    places = st.integers(0, count - 1) if count else st.nothing()
    return Case(sizes, draw(st.lists(places, max_size=40)) if count else [])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=cases(), rows_per_shard=st.integers(1, 7), most_buckets=st.integers(1, 6))
def test_every_row_is_where_it_was_wanted(
    tmp_path: Path, case: Case, rows_per_shard: int, most_buckets: int
) -> None:
    files = files_of(tmp_path / "files", case.sizes)
    tables = list(
        reorder(
            files,
            pl.Series(case.rows, dtype=pl.Int64),
            tmp_path / "scratch",
            SCHEMA.names,
            rows_per_shard=rows_per_shard,
            most_buckets=most_buckets,
        )
    )
    assert [each for table in tables for each in table.to_pylist()] == list(map(row, case.rows))
    assert all(table.num_rows == rows_per_shard for table in tables[:-1])
    assert all(0 < table.num_rows <= rows_per_shard for table in tables)
    assert all(table.schema.equals(SCHEMA) for table in tables)
    assert not (tmp_path / "scratch").exists()


def test_the_bytes_do_not_depend_on_how_buckets_are_cut(tmp_path: Path) -> None:
    files = files_of(tmp_path / "files", [400, 250, 350])
    rows = pl.Series([(7 * place) % 1000 for place in range(1000)])

    def written(name: str, most_buckets: int, cut: list[Path]) -> list[bytes]:
        tables = reorder(
            cut, rows, tmp_path / name, SCHEMA.names, rows_per_shard=60, most_buckets=most_buckets
        )
        found = []
        for table in tables:
            write_table(tmp_path / "made.parquet", table)
            found.append((tmp_path / "made.parquet").read_bytes())
        return found

    whole = written("one", 1, files)
    assert len(whole) == 17
    assert whole == written("many", 256, files)
    assert whole == written("other files", 5, files_of(tmp_path / "again", [1000]))


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    files = files_of(tmp_path / "files", [4])
    (table,) = reorder(files, pl.Series([3, 1]), tmp_path / "scratch", ["id"])
    assert table.to_pydict() == {"id": ["row 3", "row 1"]}


def test_what_a_kill_left_is_removed_and_so_is_what_was_not_read(tmp_path: Path) -> None:
    files = files_of(tmp_path / "files", [4])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "99999.arrow").write_bytes(b"half")
    tables = reorder(files, pl.Series([0, 1]), scratch, SCHEMA.names, rows_per_shard=1)
    next(tables)
    assert {file.name for file in scratch.iterdir()} == {"00000.arrow", "00001.arrow"}
    tables.close()  # type: ignore[attr-defined]
    assert not scratch.exists()


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_of(tmp_path / "files", [9])
    full = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: full)
    monkeypatch.setattr(module, "_spill", None)
    with pytest.raises(StepFailed, match=r"9 rows in order needs about .* has 0 MB free"):
        next(reorder(files, pl.Series(range(9)), tmp_path / "scratch", SCHEMA.names))
    assert not (tmp_path / "scratch").exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    files = files_of(tmp_path / "files", [900])
    metadata = pq.read_metadata(files[0])
    assert metadata.num_rows == 900
    with files[0].open("r+b") as file:
        file.seek(40)
        file.write(b"\xff" * 16)
    with pytest.raises(RequestError, match=r"part-00000\.parquet cannot be read as parquet"):
        next(reorder(files, pl.Series([1]), tmp_path / "scratch", SCHEMA.names))
