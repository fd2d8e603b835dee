"""A remembered digest is never that of other bytes, whatever the clocks and copies do."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from potstill.pipeline.fingerprint import digest_file
from potstill.pipeline.statcache import DIGESTS, DigestCache


def remembered(folder: Path, *files: Path) -> DigestCache:
    """A cache in `folder` that has hashed the files and was saved."""
    cache = DigestCache(folder / DIGESTS)
    for file in files:
        cache.digest(file)
    cache.save()
    return DigestCache(folder / DIGESTS)


def test_a_change_of_equal_size_within_a_tick_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    cache = DigestCache(None)
    for text in ("ab", "cd") * 20:
        file.write_text(text, encoding="utf-8")
        assert cache.digest(file) == digest_file(file)


def test_a_change_that_hides_behind_the_old_time_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("ab", encoding="utf-8")
    cache, before = remembered(tmp_path, file), file.stat()
    assert cache.known(file) == digest_file(file)
    file.write_text("cd", encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert cache.known(file) is None
    assert cache.digest(file) == digest_file(file)


def test_a_moved_folder_keeps_its_digests_and_a_copy_is_read_again(tmp_path: Path) -> None:
    home, outside = tmp_path / "a", tmp_path / "outside"
    (home / "sub").mkdir(parents=True)
    for file in (home / "sub" / "file", outside):
        file.write_text("ab", encoding="utf-8")
    remembered(home, home / "sub" / "file", outside)
    home.rename(tmp_path / "b")
    moved = DigestCache(tmp_path / "b" / DIGESTS)
    assert moved.known(tmp_path / "b" / "sub" / "file") is not None
    assert moved.known(outside) is not None
    shutil.copytree(tmp_path / "b", tmp_path / "c")  # with the old times
    copied = DigestCache(tmp_path / "c" / DIGESTS)
    assert copied.known(tmp_path / "c" / "sub" / "file") is None


def test_a_relative_path_is_that_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name, encoding="utf-8")
    cache = DigestCache(None)
    for name in ("a", "b"):
        monkeypatch.chdir(tmp_path / name)
        assert cache.digest(Path("file")) == digest_file(tmp_path / name / "file")


@pytest.mark.parametrize("text", ["", "[]", "3", '{"file": 1}', '{"file": [2, 1, 1, 1]}', "{"])
def test_a_spoiled_cache_is_only_a_slower_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "file"
    file.write_text("ab", encoding="utf-8")
    (tmp_path / DIGESTS).write_text(text, encoding="utf-8")
    assert DigestCache(tmp_path / DIGESTS).digest(file) == digest_file(file)


def test_entries_of_files_that_are_gone_can_be_forgotten(tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for file in (kept, gone):
        file.write_text("ab", encoding="utf-8")
    cache = remembered(tmp_path, kept, gone)
    gone.unlink()
    assert cache.forgettable() == ["gone"]
    cache.forget(["gone"])
    cache.save()
    assert list(json.loads((tmp_path / DIGESTS).read_text("utf-8"))) == ["kept"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("ab", encoding="utf-8")
    tmp_path.chmod(0o555)
    try:
        remembered(tmp_path, file)
    finally:
        tmp_path.chmod(0o755)
    assert not (tmp_path / DIGESTS).exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_disk_that_takes_nothing_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(self: Path, text: str, encoding: str) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "file").write_text("ab", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", refused)
        remembered(tmp_path, tmp_path / "file")
    assert not (tmp_path / DIGESTS).exists()
