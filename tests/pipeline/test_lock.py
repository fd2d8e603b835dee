"""One run at a time, and what a killed one left behind is cleared by the next."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from potstill.pipeline import lock
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.lock import hold, run_lock


def test_a_second_holder_is_refused_or_waits(tmp_path: Path) -> None:
    held = contextlib.ExitStack()
    held.enter_context(run_lock(tmp_path))
    message = rf"in use by process {os.getpid()} \(step \?\)\. Wait for it \(--wait does\)"
    with pytest.raises(RequestError, match=message), run_lock(tmp_path):
        pass
    told = []

    def waiting(text: str) -> None:
        told.append(text)
        held.close()

    with run_lock(tmp_path, waiting):
        assert told == [f"waiting for process {os.getpid()} (step ?) to leave {tmp_path}"]


def test_orphans_of_killed_runs_go_and_nothing_else_does(tmp_path: Path) -> None:
    orphan = f".part-00000.parquet.{os.getpid()}.tmp"  # as by an earlier process of our number
    artifact = tmp_path / "toy" / "first-0123abcd" / "verdicts" / "math"
    other = tmp_path / "toy" / "mine"
    for folder in (artifact, other):
        folder.mkdir(parents=True)
        (folder / orphan).write_text("", encoding="utf-8")
    (tmp_path / orphan).write_text("", encoding="utf-8")
    (artifact / "part-00000.parquet").write_text("", encoding="utf-8")
    with run_lock(tmp_path):
        assert [file.name for file in artifact.iterdir()] == ["part-00000.parquet"]
        assert not (tmp_path / orphan).exists()
        assert (other / orphan).exists(), "not a folder that we made"


@pytest.mark.parametrize(("same_boot", "ends"), [(True, True), (False, False)])
def test_a_group_of_another_boot_is_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_boot: bool, ends: bool
) -> None:
    """The very process number and start time, as a reboot or another machine may repeat them."""
    left = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        lock.announce(tmp_path, "toy/second", left.pid)
        if not same_boot:
            boot = tmp_path / "boot_id"
            boot.write_text("another\n")
            monkeypatch.setattr(lock, "_BOOT", boot)
        with hold(tmp_path):
            pass
    finally:
        left.communicate(b"\n")
    assert (left.returncode == -signal.SIGKILL) is ends


def test_a_full_disk_can_be_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, text: str, encoding: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refused)
    with hold(tmp_path), pytest.raises(RequestError, match="in use by"), hold(tmp_path):
        pass
    with pytest.raises(StepFailed, match="no space left"), run_lock(tmp_path):
        pass
