"""What gc removes, what it leaves alone, and that a kill in between leaves nothing half."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from toys import CATALOG

from potstill.pipeline.artifact import MANIFEST, open_artifact, write_manifest
from potstill.pipeline.errors import RequestError, StepFailed, StoppedOnPurpose
from potstill.pipeline.garbage import Garbage, collect_garbage
from potstill.pipeline.lock import announce, run_lock
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import load_recipe
from potstill.pipeline.runner import Run
from potstill.pipeline.statcache import DIGESTS, DigestCache

NO_PROCESS = 2**22 + 1
"""Above the largest process id of Linux."""


def recipe(folder: Path, rows: int = 3, name: str = "toy", **steps: object) -> Path:
    """A recipe file: numbers, and a copy of them."""
    usual = {"first": {"numbers": {"rows": rows}}, "second": {"copy": {"samples": "first"}}}
    file = folder / f"{name}.yaml"
    values = {"potstill": 1, "name": name, "filters": {"short": {}}, "steps": steps or usual}
    YAML().dump(values, file)
    return file


def run(file: Path, work: Path, limit: int | None = None) -> None:
    Run(make_plan(load_recipe(file, CATALOG, []), work, limit)).all()


def collect(file: Path | list[Path], work: Path, really: bool = False) -> Garbage:
    files = file if isinstance(file, list) else [file]
    return collect_garbage(files, CATALOG, work, [], really=really, wait=False)


def told(garbage: Garbage) -> dict[str, str]:
    """Kind by path below the work directory, addresses less."""
    return {
        str(item.path.relative_to(garbage.work)).rpartition("-")[0] or item.path.name: item.kind
        for item in garbage.items
    }


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory in which a recipe was run with 3 rows and then with 4."""
    folder = tmp_path_factory.mktemp("twice")
    for rows in (3, 4):
        run(recipe(folder, rows), folder / "work")
    return folder


@pytest.fixture
def work(twice: Path, tmp_path: Path) -> Path:
    shutil.copytree(twice / "work", tmp_path / "work")
    recipe(tmp_path, 4)
    return tmp_path / "work"


@pytest.fixture
def file(work: Path) -> Path:
    return work.parent / "toy.yaml"


def test_old_addresses_go_and_the_present_ones_stay(work: Path, file: Path) -> None:
    before = sorted(work.rglob("*"))
    shown = collect(file, work)
    assert told(shown) == {"toy/first": "artifact", "toy/second": "artifact"}
    assert not shown.removed
    assert sorted(work.rglob("*")) == before
    assert all(item.why.startswith("the recipe's is ") for item in shown.items)
    removed = collect(file, work, really=True)
    assert removed.removed
    assert removed.items == shown.items
    assert removed.freed_bytes == sum(item.bytes for item in shown.items) > 0
    assert not collect(file, work).items
    plan = make_plan(load_recipe(file, CATALOG, []), work)
    left = {each.name for each in (work / "toy").iterdir()} - {"logs", "state"}
    assert left == {node.folder for node in plan.nodes}


def test_what_is_not_ours_is_told_and_left_alone(work: Path, file: Path) -> None:
    old = next(item.path for item in collect(file, work).items if "first" in item.path.name)
    odd: dict[str, Callable[[Path], object]] = {
        "notes-20240101": lambda path: path.mkdir(),  # eight hex digits, and not ours
        "mine.txt": lambda path: path.write_text("x"),
        "link": lambda path: path.symlink_to(work.parent),
        "first-0123abcd": lambda path: path.symlink_to(old),
    }
    for name, make in odd.items():
        make(work / "toy" / name)
    (old / "my-notes.txt").write_text("why this was better", encoding="utf-8")
    (work / "journal.sqlite").write_bytes(b"paid")
    (work / "other" / "first-0123abcd").mkdir(parents=True)
    found = collect(file, work, really=True)
    assert {item.path.name for item in found.unknown} == {*odd, old.name}
    assert next(item.why for item in found.unknown if item.path == old) == (
        f"holds 'my-notes.txt', which is not of its {MANIFEST}"
    )
    assert told(found) == {"toy/second": "artifact"}
    for path in (old, *(work / "toy" / name for name in odd), work / "journal.sqlite"):
        assert path.exists()
    assert (work / "other" / "first-0123abcd").is_dir()


@pytest.mark.parametrize("change", ["step", "json"])
def test_a_folder_whose_manifest_is_not_its_own_stays(work: Path, file: Path, change: str) -> None:
    old = collect(file, work).items[0].path
    manifest = json.loads((old / MANIFEST).read_text("utf-8"))
    text = json.dumps({**manifest, "step": "another"}) if change == "step" else "[1,"
    (old / MANIFEST).write_text(text, encoding="utf-8")
    found = collect(file, work, really=True)
    assert [item.path for item in found.unknown] == [old]
    assert old.is_dir()


def test_what_killed_runs_left(work: Path, file: Path) -> None:
    run_dir = work / "toy"
    now = {node.name: node.folder for node in make_plan(load_recipe(file, CATALOG, []), work).nodes}
    (run_dir / "first-00000000").mkdir()
    (run_dir / "state" / "first-00000000").mkdir(parents=True)
    (run_dir / "state" / now["second"]).mkdir()
    (run_dir / "logs" / "gone.log").write_text("x" * 100, encoding="utf-8")
    (run_dir / "gone-00000000").mkdir()  # its log tells that it was ours
    (run_dir / ".trash" / "verdicts").mkdir(parents=True)
    (run_dir / "state" / ".trash").mkdir()
    (work / f".x.json.{NO_PROCESS}.tmp").write_text("x", encoding="utf-8")
    (run_dir / now["first"] / f".x.parquet.{NO_PROCESS}.tmp").write_text("x", encoding="utf-8")
    kinds = sorted(item.kind for item in collect(file, work).items)
    assert kinds == sorted(
        ["artifact"] * 2 + ["unfinished"] * 2 + ["state"] * 2 + ["log"] + ["trash", "temporary"] * 2
    )
    collect(file, work, really=True)
    assert not collect(file, work).items
    assert not collect(file, work).unknown
    assert not list(work.rglob("*.tmp"))
    assert (run_dir / "logs" / "first.log").exists()


def test_the_state_of_a_step_that_can_go_on_stays(tmp_path: Path) -> None:
    file, work = recipe(tmp_path), tmp_path / "work"
    node = make_plan(load_recipe(file, CATALOG, []), work).nodes[1]
    (work / "toy" / "state" / node.folder).mkdir(parents=True)
    (work / "toy" / node.folder).mkdir()
    found = collect(file, work, really=True)
    assert [item.kind for item in found.items] == ["unfinished"]
    assert (work / "toy" / "state" / node.folder).is_dir()


def test_a_running_step_is_not_touched(work: Path, file: Path) -> None:
    (work / "toy" / "first-00000000").mkdir()
    (work / "toy" / "state" / "first-00000000").mkdir(parents=True)
    with run_lock(work):
        announce(work, "toy/first", None)
        assert set(told(collect(file, work)).values()) == {"artifact"}
        with pytest.raises(RequestError, match="in use by process"):
            collect(file, work, really=True)
    assert (work / "toy" / "first-00000000").is_dir()


def test_what_another_recipe_names_by_path_stays(work: Path, file: Path) -> None:
    old = next(item.path for item in collect(file, work).items if "first" in item.path.name)
    user = recipe(work.parent, name="user", again={"numbers": {"source": str(old)}})
    found = collect([file, user], work)
    assert [(item.path, item.why) for item in found.kept] == [
        (old, "recipe 'user' names it by path")
    ]
    assert told(found) == {"toy/second": "artifact"}


def test_what_another_recipe_made_something_from_stays(work: Path, file: Path) -> None:
    old = next(item.path for item in collect(file, work).items if "first" in item.path.name)
    user = recipe(work.parent, name="user", again={"numbers": {"source": str(old)}})
    (node,) = make_plan(load_recipe(user, CATALOG, []), work).nodes
    body = {"step": node.name, "address": node.address, "identity": node.identity, "inputs": {}}
    write_manifest(work / "user" / node.folder, body, {})
    found = collect(file, work, really=True)
    kept = {item.path: item.why for item in found.kept}
    assert kept[old].startswith("user/again-")
    assert kept[old].endswith(" was made from it")
    assert set(told(found)) == set(), "the copy has the same content, so it may be the one meant"
    shutil.rmtree(work / "user")
    assert len(collect(file, work).items) == 2


def test_smoke_runs_are_kept_apart(work: Path, file: Path) -> None:
    run(file, work, limit=2)
    smoke = work / "toy-limit2"
    (smoke / "first-00000000").mkdir()
    stranger = work / "toy-limit9"  # may be a recipe of that name
    (stranger / "first-00000000").mkdir(parents=True)
    found = collect(file, work, really=True)
    assert "toy-limit2/first" in told(found)
    assert (smoke / "first-00000000").exists() is False
    assert [item.path for item in found.unknown] == [stranger]
    plan = make_plan(load_recipe(file, CATALOG, []), work, limit=2)
    assert all(open_artifact(smoke / node.folder) for node in plan.nodes)


def test_shared_bytes_are_counted_once_and_only_if_freed(work: Path, file: Path) -> None:
    old = next(item.path for item in collect(file, work).items if "first" in item.path.name)
    shard = old / "part-00000.parquet"
    before = collect(file, work)
    os.link(shard, work.parent / "elsewhere.parquet")
    linked = collect(file, work)
    assert linked.freed_bytes == before.freed_bytes - shard.stat().st_size
    (work.parent / "elsewhere.parquet").unlink()
    twin = next(item.path for item in before.items if "second" in item.path.name)
    (twin / "part-00000.parquet").unlink()
    os.link(shard, twin / "part-00000.parquet")
    both = collect(file, work)
    size = shard.stat().st_size
    assert sum(item.bytes for item in both.items) == both.freed_bytes + size


def test_a_kill_leaves_nothing_that_counts_as_whole(
    work: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = [item.path for item in collect(file, work).items]

    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(StoppedOnPurpose, match="after removing 0"):
            collect(file, work, really=True)
    assert not doomed[0].exists()
    assert doomed[1].exists()
    found = collect(file, work)
    assert sorted(item.kind for item in found.items) == ["artifact", "trash"]
    collect(file, work, really=True)
    assert not (work / "toy" / ".trash").exists()
    assert not collect(file, work).items


def test_a_kill_before_a_folder_was_moved_leaves_nothing_for_ever(work: Path) -> None:
    file = recipe(work.parent, third={"numbers": {"rows": 1}})
    gone = next(item.path for item in collect(file, work).items if item.kind == "artifact")
    (gone / MANIFEST).unlink()
    shutil.rmtree(work / "toy" / "logs")
    found = collect(file, work, really=True)
    assert gone in [item.path for item in found.items]
    assert not found.unknown
    assert not gone.exists()


def test_what_cannot_be_removed_is_told(
    work: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refused)
    with pytest.raises(StepFailed, match=r"Permission denied\. 0 of 2 are gone"):
        collect(file, work, really=True)


def test_a_recipe_that_cannot_be_planned_is_refused(work: Path, file: Path) -> None:
    lost = recipe(work.parent, name="lost", first={"numbers": {"source": "./gone.txt"}})
    for asked in (lost, work.parent / "nowhere.yaml"):
        with pytest.raises(RequestError):
            collect([file, asked], work, really=True)
    with pytest.raises(RequestError, match="no work directory"):
        collect(file, work.parent / "wrok", really=True)
    assert len(collect(file, work).items) == 2
    assert not (work.parent / "wrok").exists()


def test_digests_of_files_that_are_gone_are_forgotten(work: Path, file: Path) -> None:
    run(file, work)
    old = [item.path for item in collect(file, work).items]
    cache = DigestCache(work / DIGESTS)
    for folder in old:
        cache.digest(folder / "part-00000.parquet")
    cache.save()
    found = collect(file, work, really=True)
    assert len(found.forgotten) == 2
    assert not DigestCache(work / DIGESTS).forgettable()
