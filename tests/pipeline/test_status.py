"""What is said of each step on disk: its size, what belongs to it, and when it was finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toys import CATALOG

from potstill.pipeline.artifact import MANIFEST, TIMING
from potstill.pipeline.lock import announce, run_lock
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.statcache import DIGESTS
from potstill.pipeline.status import read_states


def plan_of(work: Path, rows: int = 3) -> Plan:
    steps = {"first": {"numbers": {"rows": rows}}, "second": {"copy": {"samples": "first"}}}
    values = {"potstill": 1, "name": "toy", "filters": {"short": {}}, "steps": steps}
    return make_plan(recipe_of(values, CATALOG), work)


def facts(plan: Plan) -> dict[str, dict[str, Any]]:
    return {state.node.name: state.facts() for state in read_states(plan)}


def test_sizes_are_of_the_files_as_they_lie_there(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert facts(plan)["first"]["size_bytes"] is None
    Run(plan).all()
    folder = Path(facts(plan)["first"]["path"])
    (folder / "verdicts").mkdir()
    (folder / "verdicts" / "x").write_bytes(b"12345")
    state = folder.parent / "state" / folder.name
    state.mkdir(parents=True)
    (state / "checkpoint").write_bytes(b"123")
    first = facts(plan)["first"]
    assert first["size_bytes"] == sum(
        file.stat().st_size for file in folder.rglob("*") if file.is_file()
    )
    assert (first["verdicts_bytes"], first["state_bytes"]) == (5, 3)
    assert first["finished"] is not None
    assert first["seconds"] is not None


def test_clocks_that_cannot_be_read_stop_no_look(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    Run(plan).all()
    for text in ("", "[]", "{"):
        (Path(facts(plan)["first"]["path"]) / TIMING).write_text(text, encoding="utf-8")
        first = facts(plan)["first"]
        assert (first["state"], first["finished"], first["seconds"]) == ("complete", None, None)


def test_a_running_step_tells_what_it_wrote_so_far(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    folder = plan.run_dir / plan.nodes[0].folder
    folder.mkdir(parents=True)
    (folder / "part").write_bytes(b"1234")
    with run_lock(plan.work):
        announce(plan.work, "toy/first", None)
        first = facts(plan)["first"]
    assert (first["state"], first["size_bytes"]) == ("running", 4)


def test_what_a_look_read_is_remembered(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    Run(plan).all()
    (tmp_path / DIGESTS).unlink()
    read_states(plan)
    assert (tmp_path / DIGESTS).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": "first"}', '{"files": {}}'])
def test_an_older_artifact_that_cannot_be_read_stops_no_look(tmp_path: Path, text: str) -> None:
    Run(plan_of(tmp_path)).all()
    for manifest in tmp_path.glob(f"toy/first-*/{MANIFEST}"):
        manifest.write_text(text, encoding="utf-8")
    first = facts(plan_of(tmp_path, rows=4))["first"]
    assert (first["state"], first["why"]) == (
        "missing",
        ["what changed is unknown: the manifest of the artifact before cannot be read"],
    )
