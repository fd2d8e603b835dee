"""A work directory that goes to another place, user or machine: what was made counts there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toys import CATALOG

from potstill.pipeline.garbage import collect_garbage
from potstill.pipeline.lock import RUNNING, run_lock, running_step
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.statcache import DIGESTS
from potstill.pipeline.status import read_states
from potstill.pipeline.verify import verify

STEPS: dict[str, Any] = {
    "first": {"numbers": {"source": "./words.txt"}},
    "second": {"copy": {"samples": "first"}},
}
MORE: dict[str, Any] = {**STEPS, "third": {"copy": {"samples": "second"}}}


def plan_of(folder: Path, steps: dict[str, Any] = STEPS) -> Plan:
    here = {"first": {"numbers": {"source": str(folder / "words.txt")}}}
    values = {"potstill": 1, "name": "toy", "filters": {"short": {}}, "steps": {**steps, **here}}
    return make_plan(recipe_of(values, CATALOG), folder / "work")


def run(plan: Plan) -> list[str]:
    """Steps that were built."""
    events: list[dict[str, Any]] = []
    Run(plan, listen=events.append).all()
    return [event["step"] for event in events if event["event"] == "step_done"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run in it; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "words.txt").write_text("one two three", encoding="utf-8")
    run(plan_of(folder))
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


def copied_by(*command: str) -> Callable[[Path, Path], object]:
    return lambda old, new: subprocess.run([*command, str(old), str(new)], check=True)


def packed(old: Path, new: Path) -> None:
    archive = new.with_suffix(".tar")
    subprocess.run(["tar", "-cf", archive, "-C", old.parent, old.name], check=True)
    subprocess.run(["tar", "-xf", archive, "-C", new.parent, "--transform", "s,home,far,"])


WAYS: dict[str, Callable[[Path, Path], object]] = {
    "cp": copied_by("cp", "-r"),
    "cp_with_times": copied_by("cp", "-a"),
    "move": lambda old, new: old.rename(new),
    "tar": packed,
}


@pytest.mark.parametrize("way", WAYS)
def test_everything_is_cached_elsewhere_and_only_what_is_new_runs(home: Path, way: str) -> None:
    far = home.parent / "far"
    WAYS[way](home, far)
    if home.exists():
        shutil.rmtree(home)
    assert [state.state for state in read_states(plan_of(far))] == ["complete"] * 2
    assert run(plan_of(far)) == []
    assert run(plan_of(far, MORE)) == ["third"]
    assert verify(far / "work", [str(far / "work")]).whole


def test_no_artifact_names_the_place_it_was_made_in(made: Path) -> None:
    run_dir = made / "work" / "toy"
    files = [file for file in run_dir.rglob("*") if file.is_file()]
    assert [file for file in files if str(made).encode() in file.read_bytes()] == []


def test_the_same_bytes_come_of_another_place(home: Path) -> None:
    far = home.parent / "far"
    far.mkdir()
    shutil.copy(home / "words.txt", far)
    run(plan_of(far))

    def content(folder: Path) -> dict[str, bytes]:
        files = (folder / "work" / "toy").glob("*/*.[jp]*")
        kept = [file for file in files if file.name != "timing.json"]
        return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in kept}

    assert content(far) == content(home)


def test_a_copy_with_a_wrong_byte_is_not_believed(home: Path) -> None:
    far = home.parent / "far"
    shutil.copytree(home, far)
    shard = next(far.glob("work/toy/second-*/part-*.parquet"))
    before, data = shard.stat(), bytearray(shard.read_bytes())
    data[50] ^= 1
    shard.write_bytes(data)
    os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))
    states = {state.node.name: state.state for state in read_states(plan_of(far))}
    assert states == {"first": "complete", "second": "damaged"}
    assert not verify(far / "work", ["toy"]).whole


def test_a_run_that_died_elsewhere_holds_nothing_here(home: Path) -> None:
    """running.json of another machine: the number of a process here is not that of its step."""
    victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        body = {"pid": 1, "step": "toy/second", "group": victim.pid, "group_started": "1"}
        (home / "work" / RUNNING).write_text(json.dumps(body), encoding="utf-8")
        assert running_step(home / "work") is None
        with run_lock(home / "work"):
            assert victim.poll() is None
    finally:
        victim.communicate(b"\n")
    assert victim.returncode == 0


def test_links_that_a_copy_breaks_cost_space_and_nothing_else(home: Path) -> None:
    first, second = (next(home.glob(f"work/toy/{name}-*/part-*")) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    second.unlink()
    os.link(first, second)
    far = home.parent / "far"
    shutil.copytree(home, far)  # as cp -r and rsync without -H do
    assert next(far.glob("work/toy/second-*/part-*")).stat().st_nlink == 1
    assert run(plan_of(far)) == []


def test_what_need_not_be_copied(home: Path) -> None:
    far = home.parent / "far"
    skipped = shutil.ignore_patterns(DIGESTS, ".lock", ".writable", RUNNING, "logs", "timing.json")
    shutil.copytree(home, far, ignore=skipped)
    assert run(plan_of(far)) == []
    (far / "toy.yaml").write_text(
        "potstill: 1\nname: toy\nsteps: {first: {numbers: {source: ./words.txt}}}\n",
        encoding="utf-8",
    )
    found = collect_garbage([far / "toy.yaml"], CATALOG, far / "work", [], really=False, wait=False)
    assert [item.path.name.partition("-")[0] for item in found.items] == ["second"]
