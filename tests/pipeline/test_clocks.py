"""Which artifact is the latest: its clocks tell, whatever a copy did to the times of files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import CATALOG

from potstill.pipeline.artifact import MANIFEST, TIMING
from potstill.pipeline.clocks import Clocks, clocks_of, oldest_first
from potstill.pipeline.locate import find_path, latest_artifacts
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.status import previous_artifacts
from potstill.pipeline.verify import verify


def plan_of(work: Path, rows: int) -> Plan:
    steps = {"first": {"numbers": {"rows": rows}}}
    return make_plan(recipe_of({"potstill": 1, "name": "toy", "steps": steps}, CATALOG), work)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A work directory with three artifacts of a step, whose files bear the reverse times."""
    work = tmp_path / "work"
    for rows in (3, 4, 5):
        Run(plan_of(work, rows)).all()
    far = tmp_path / "far"
    shutil.copytree(work, far)
    for age, rows in enumerate((3, 4, 5)):
        plan = plan_of(far, rows)
        os.utime(plan.run_dir / plan.nodes[0].folder / MANIFEST, (1e9 - age, 1e9 - age))
    return far


def test_the_latest_of_a_copy_is_the_one_that_was_finished_last(copied: Path) -> None:
    plan = plan_of(copied, 5)
    last = (plan.run_dir / plan.nodes[0].folder).absolute()
    assert latest_artifacts(copied / "toy")["first"].path.absolute() == last
    assert find_path(copied, "toy/first") == last
    assert [checked.path for checked in verify(copied, ["toy/first"]).checked] == [last]
    before = [path.name for path in previous_artifacts(plan, plan.nodes[0])]
    assert before == [plan_of(copied, rows).nodes[0].folder for rows in (3, 4)]


def test_without_clocks_the_times_of_the_files_decide(tmp_path: Path) -> None:
    files = [tmp_path / name / MANIFEST for name in ("b", "a", "c")]
    for age, file in enumerate(files):
        file.parent.mkdir()
        file.write_text("{}", encoding="utf-8")
        os.utime(file, (1e9 - age, 1e9 - age))
    assert oldest_first(files) == [files[2], files[1], files[0]]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"finished": "now", "seconds": true}', '{"finished": NaN, "seconds": 1e999}',
     '{"finished": 1' + "0" * 400 + ', "seconds": null}'],
)  # fmt: skip
def test_clocks_that_say_nothing(tmp_path: Path, text: str) -> None:
    assert clocks_of(tmp_path) == Clocks()
    (tmp_path / TIMING).write_text(text, encoding="utf-8")
    assert clocks_of(tmp_path) == Clocks()


@given(st.binary(max_size=50))
def test_no_bytes_stop_a_look(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / TIMING).write_bytes(data)
        clocks_of(Path(folder))
