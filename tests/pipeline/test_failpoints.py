"""Fail points: all are listed and really passed, and no failure leaves half a file or a traceback.

Every moment of a write is tried with every action on one file; whole runs of generation are tried
in tests/crash, three of toy steps here; POTSTILL_CRASH_TESTS=all tries all of these (minutes).
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from toys_that_stop import CATALOG, start_command

from potstill.pipeline import failpoints
from potstill.pipeline.disk import disk_failure
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.failpoints import ACTIONS, FAIL_POINTS, FAMILIES, MOMENTS, VARIABLE, parse
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.shards import atomic_path, remove_orphans, write_text

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("pipeline", "models", "filters", "stages", "train", "views")


def test_every_name_stands_in_the_source_as_it_is_listed() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    named = set(re.findall(r'fail_point\(f?"([^"]+)"\)', source))
    moments = {name.removeprefix("{family}.") for name in named if name.startswith("{family}.")}
    assert moments == set(MOMENTS)
    assert all(f'"{family}"' in source for family in FAMILIES)
    literal = {name for name in named if not name.startswith("{")}
    assert literal == {name for name in FAIL_POINTS if name.split(".")[0] not in FAMILIES}
    assert len(FAIL_POINTS) == len(set(FAIL_POINTS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shard.rename.befor:1:kill", "did you mean 'shard.rename.before'"),
        ("shard.rename.before", "expected NAME:K:ACTION"),
        ("shard.rename.before:0:kill", "K from 1"),
        ("shard.rename.before:x:kill", "K from 1"),
        ("shard.rename.before:1:burn", "one of kill, enospc, eio"),
        ("shard.rename.before:1:kill:2", "expected NAME:K:ACTION"),
    ],
)
def test_a_wrong_variable_is_a_wrong_request(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse(text)


def arm(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """In this process only."""
    monkeypatch.setattr(failpoints, "_armed", parse(point))


def test_the_kth_time_fails_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse("") is None
    arm(monkeypatch, "file.rename.after:3:eio")
    for _ in range(2):
        failpoints.fail_point("file.rename.after")
        failpoints.fail_point("file.rename.before")
    with pytest.raises(OSError, match="Input/output error"):
        failpoints.fail_point("file.rename.after")
    failpoints.fail_point("file.rename.after")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", ["enospc", "eio"])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_broken_disk_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, action: str, old: str | None
) -> None:
    target = tmp_path / "file"
    if old:
        target.write_text(old, encoding="utf-8")
    arm(monkeypatch, f"file.{moment}:1:{action}")
    expected = rf"{target} could not be written: .*run the same command again"
    with pytest.raises(StepFailed, match=expected):
        write_text(target, "new")
    renamed = moment.startswith(("rename.after", "dirsync"))
    assert (target.read_text("utf-8") if target.exists() else None) == ("new" if renamed else old)
    assert [file.name for file in tmp_path.glob(".*")] == []
    write_text(target, "new")
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    target = tmp_path / "file"
    target.write_text("old", encoding="utf-8")
    arm(monkeypatch, f"file.{moment}:1:kill")
    child = os.fork()
    if not child:
        write_text(target, "new")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    renamed = moment.startswith(("rename.after", "dirsync"))
    assert target.read_text(encoding="utf-8") == ("new" if renamed else "old")
    remove_orphans(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_only_orphans_of_ours_are_removed(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    parent = os.getppid()
    gone = [
        tmp_path / f".x.{child}.tmp",
        deep / f".x.y.{child}.tmp",
        deep / f".x.{os.getpid()}.tmp",
    ]
    kept = [deep / f".x.{parent}.tmp", deep / ".x.tmp", deep / f"x.{child}.tmp", deep / ".x.1a.tmp"]
    for file in [*gone, *kept]:
        file.write_text("", encoding="utf-8")
    remove_orphans(tmp_path, deep=False)
    assert [file.exists() for file in gone] == [False, True, True]
    remove_orphans(tmp_path)
    assert not any(file.exists() for file in gone)
    assert all(file.exists() for file in kept)


def test_only_the_disk_is_blamed_for_the_disk(tmp_path: Path) -> None:
    assert disk_failure(OSError(errno.EACCES, "no"), tmp_path) is None
    assert disk_failure(OSError("without a number"), tmp_path) is None
    assert "--work DIR" in str(disk_failure(OSError(errno.ENOSPC, "full"), tmp_path))

    def write_elsewhere() -> None:
        with atomic_path(tmp_path / "file"):
            raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        write_elsewhere()


STEPS: dict[str, Any] = {"first": {"numbers": {"rows": 3}}}


def run(work: Path) -> None:
    recipe = recipe_of({"potstill": 1, "name": "toy", "steps": STEPS}, CATALOG)
    Run(make_plan(recipe, work)).all()


def bytes_of(work: Path) -> dict[str, bytes]:
    """All that a run leaves, less what holds clocks, logs and places."""
    passed_over = ("timing.json", ".digests.json", "first.log")
    return {
        str(file.relative_to(work)): file.read_bytes()
        for file in sorted(work.rglob("*"))
        if file.is_file() and file.name not in passed_over
    }


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    work = tmp_path_factory.mktemp("calm")
    run(work)
    return bytes_of(work)


CASES = [
    ("announce.fsync.before", 2, "enospc"),
    ("file.write.after", 2, "kill"),
    ("file.dirsync.before", 2, "eio"),
]
"""k = 2: `announce` when the step has started, `file` when its timing is written."""
if os.environ.get("POTSTILL_CRASH_TESTS") == "all":
    CASES = [
        (f"{family}.{moment}", times, action)
        for family in FAMILIES
        for moment in MOMENTS
        for times in ((1, 2) if family in ("announce", "file") else (1,))
        for action in ACTIONS
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "times", "action"), CASES)
def test_a_run_that_fails_anywhere_is_made_whole_by_the_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calm: dict[str, bytes],
    name: str,
    times: int,
    action: str,
) -> None:
    recipe = {"potstill": 1, "name": "toy", "steps": STEPS}
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, f"{name}:{times}:{action}")
    work = tmp_path / "work"
    command = start_command(tmp_path, "run", str(tmp_path / "recipe.yaml"), "--work", str(work))
    code = command.wait(timeout=60)
    told = (tmp_path / "stderr").read_text(encoding="utf-8")
    assert "Traceback" not in told
    if action == "kill" and not name.startswith("shard"):
        assert code == -signal.SIGKILL, told
    else:
        assert code == 1, told
        assert "un the same command" in told
        assert action == "kill" or not list(work.rglob(".*.tmp"))
    monkeypatch.delenv(VARIABLE)
    run(work)
    assert bytes_of(work) == calm
