"""Files are whole or not there, and damage is found when they are read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import SAMPLE_SCHEMA, Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import (
    atomic_path,
    read_table,
    shard_files,
    write_rows,
    write_samples,
)


def rows(count: int) -> list[Sample]:
    return list(with_ids(new_sample((Message("user", f"q{n}"),)) for n in range(count)))


@pytest.mark.parametrize(("count", "shards"), [(0, 1), (1, 1), (4, 2), (5, 3)])
def test_rows_are_cut_into_shards_and_come_back(tmp_path: Path, count: int, shards: int) -> None:
    made = rows(count)
    total = write_rows(tmp_path, (s.to_row() for s in made), SAMPLE_SCHEMA, rows_per_shard=2)
    assert total == count
    assert len(shard_files(tmp_path)) == shards
    back = [Sample.from_row(row) for row in read_table(shard_files(tmp_path)).to_pylist()]
    assert back == made


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_samples(tmp_path / name, rows(3))
    one, two = (file.read_bytes() for file in sorted(tmp_path.rglob("*.parquet")))
    assert one == two


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old", encoding="utf-8")

    def fail_half_way() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert target.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("name", ["part-00000.parquet", ".part-00000.parquet.PID.tmp"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    name = name.replace("PID", str(os.getpid()))
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).symlink_to(victim)
    write_samples(folder, rows(3))
    assert victim.read_text(encoding="utf-8") == "mine"
    (file,) = folder.iterdir()
    assert file.name == "part-00000.parquet"
    assert not file.is_symlink()


@pytest.mark.parametrize("keep", [0, 1, 50, -1])
def test_a_cut_file_is_named(tmp_path: Path, keep: int) -> None:
    write_samples(tmp_path, rows(3))
    (file,) = shard_files(tmp_path)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(RequestError, match=r"part-00000\.parquet cannot be read as parquet"):
        read_table(file)


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_in_a_page_is_found_when_read(tmp_path: Path, bit: int) -> None:
    """Page checksums; headers and footer are covered by the manifest's sha256 (test_artifact)."""
    noise = "".join(hashlib.sha512(str(n).encode()).hexdigest() for n in range(400))
    write_samples(tmp_path, with_ids([new_sample((Message("user", "q"),), completion=noise)]))
    (file,) = shard_files(tmp_path)
    bad = bytearray(file.read_bytes())
    bad[len(bad) // 2] ^= 1 << bit
    file.write_bytes(bytes(bad))
    with pytest.raises(RequestError, match="cannot be read as parquet"):
        read_table(file)
