"""Control groups in both versions, on folders that stand for the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from potstill.filters.sandbox.cgroup import ControlGroups

DEAD = 2**22 + 1
"""More than the largest process number that Linux gives."""


class Kernel:
    """Gives new folders the files that a control group has."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        self.files = files

    def mkdir(self, folder: Path, **_: object) -> None:
        if folder.exists():
            return
        os.mkdir(folder)
        for name, content in self.files.items():
            (folder / name).write_text(content)


@pytest.fixture(params=[1, 2])
def version(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    files = {"cgroup.procs": "", "pids.max": "max"}
    if request.param == 1:
        files |= {"memory.limit_in_bytes": "-1", "memory.oom_control": "under_oom 0\noom_kill 2\n"}
        (tmp_path / "memory").mkdir()
        (tmp_path / "pids").mkdir()
    else:
        files |= {"memory.max": "max", "memory.events": "oom 5\noom_kill 2\n"}
        (tmp_path / "cgroup.controllers").write_text("memory pids")
    kernel = Kernel(tmp_path, files)
    monkeypatch.setattr(Path, "mkdir", lambda self, **more: kernel.mkdir(self, **more))
    return int(request.param)


def test_groups_bound_memory_and_processes(version: int, tmp_path: Path) -> None:
    groups = ControlGroups.make(tmp_path)
    groups.limit_memory(100)
    groups.limit_processes(7)
    name = "memory.limit_in_bytes" if version == 1 else "memory.max"
    assert (groups.folders["memory"] / name).read_text() == str(100 << 20)
    assert (groups.folders["pids"] / "pids.max").read_text() == "7"
    assert groups.kills() == 2
    assert len(groups.process_files) == (2 if version == 1 else 1)
    assert all(Path(each).name == "cgroup.procs" for each in groups.process_files)


def test_no_group_is_no_failure(tmp_path: Path) -> None:
    """A machine without control groups, and one whose user may make none."""
    for root in (tmp_path / "none", tmp_path):
        groups = ControlGroups.make(root)
        groups.limit_memory(100)
        groups.limit_processes(7)
        assert (groups.folders, groups.process_files, groups.kills()) == ({}, [], 0)
        groups.remove()


def test_a_controller_that_is_not_handed_down_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu")
    groups = ControlGroups.make(tmp_path)
    assert groups.folders == {}
    assert not list(tmp_path.glob("potstill-*"))


def test_groups_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    stale = tmp_path / "pids" / f"potstill-{DEAD}-0"
    own = tmp_path / "pids" / f"potstill-{os.getpid()}-99"
    stale.mkdir()
    own.mkdir()
    ControlGroups.make(tmp_path)
    assert not stale.exists()
    assert own.exists()
