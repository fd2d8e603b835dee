"""Running for real, in real processes: what runs, what does not, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from toys import CATALOG

from potstill.pipeline.artifact import open_artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.status import read_states

STEPS: dict[str, Any] = {
    "first": {"numbers": {"rows": 3}},
    "second": {"copy": {"samples": "first"}},
}


def plan_of(work: Path, steps: dict[str, Any], limit: int | None = None) -> Plan:
    values = {"potstill": 1, "name": "toy", "filters": {"short": {}}, "steps": steps}
    return make_plan(recipe_of(values, CATALOG), work, limit)


def run(work: Path, steps: dict[str, Any], rebuild: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    Run(plan_of(work, steps), rebuild=frozenset(rebuild), listen=events.append).all()
    return events


def built(events: list[dict[str, Any]]) -> list[str]:
    return [event["step"] for event in events if event["event"] == "step_done"]


def states(work: Path, steps: dict[str, Any]) -> dict[str, str]:
    return {state.node.name: state.state for state in read_states(plan_of(work, steps))}


def bytes_of(work: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(work)): file.read_bytes()
        for file in sorted(work.rglob("*"))
        if file.is_file() and file.suffix in (".parquet", ".json") and "toy" in file.parts
        if file.name != "timing.json"
    }


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("built")
    assert built(run(work, STEPS)) == ["first", "second"]
    return work


@pytest.fixture
def done(built_once: Path, tmp_path: Path) -> Path:
    """A work directory in which STEPS are complete: a copy, for each step is a process to start."""
    return shutil.copytree(built_once, tmp_path / "done")


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    assert states(tmp_path, STEPS) == {"first": "missing", "second": "missing"}
    assert built(run(tmp_path, STEPS)) == ["first", "second"]
    assert states(tmp_path, STEPS) == {"first": "complete", "second": "complete"}
    before = bytes_of(tmp_path)
    assert built(run(tmp_path, STEPS)) == []
    assert bytes_of(tmp_path) == before


def test_the_same_recipe_gives_the_same_bytes_elsewhere(tmp_path: Path, built_once: Path) -> None:
    run(tmp_path, STEPS)
    assert bytes_of(tmp_path) == bytes_of(built_once)


def test_only_what_depends_on_a_change_runs(done: Path) -> None:
    changed = {**STEPS, "second": {"copy": {"samples": "first", "keep": {"short": 1}}}}
    (state,) = [s for s in read_states(plan_of(done, changed)) if s.state == "missing"]
    assert state.why[0] == "config.keep {} → …" or "keep" in state.why[0]
    assert built(run(done, changed)) == ["second"]


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("request", RequestError, "the request was wrong"),
        ("failed", StepFailed, "the work failed"),
        ("exit", StepFailed, "ended by exit code 3"),
        ("bug", StepFailed, "failed: ZeroDivisionError: a bug"),
    ],
)
def test_a_failing_step_says_why_and_publishes_nothing(
    tmp_path: Path, how: str, error: type[Exception], message: str
) -> None:
    steps = {**STEPS, "bad": {"fail": {"how": how, "samples": "second"}}}
    with pytest.raises(error, match=message):
        run(tmp_path, steps)
    assert states(tmp_path, steps)["bad"] == "missing"
    assert states(tmp_path, steps)["second"] == "complete"


def test_an_expensive_step_is_not_rebuilt_by_surprise(done: Path) -> None:
    steps = {**STEPS, "model": {"teach": {"data": "first"}}}
    run(done, steps)
    changed = {**steps, "model": {"teach": {"data": "first", "rate": 0.2}}}
    with pytest.raises(RequestError, match=r"config.rate 0.1 → 0.2.*Add --rebuild model"):
        run(done, changed)
    assert built(run(done, changed, rebuild=("model",))) == ["model"]
    assert built(run(done, steps)) == [], "the old one is still there under its address"


def test_a_bill_is_shown_before_it_is_paid(done: Path) -> None:
    steps = {**STEPS, "buy": {"bill": {"samples": "first", "price": "12 completions again."}}}
    with pytest.raises(RequestError, match=r"12 completions again\. Add --rebuild buy"):
        run(done, steps)
    assert built(run(done, steps, rebuild=("buy",))) == ["buy"]


def test_only_needs_its_inputs(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="its input 'first' is not complete"):
        Run(plan_of(tmp_path, STEPS)).only("second")
    Run(plan_of(tmp_path, STEPS)).all(to="first")
    done = Run(plan_of(tmp_path, STEPS)).only("second")
    assert done["second"].rows == 3


def test_a_smoke_run_is_kept_apart(tmp_path: Path) -> None:
    Run(plan_of(tmp_path, STEPS, limit=2)).all()
    assert states(tmp_path, STEPS) == {"first": "missing", "second": "missing"}
    assert (tmp_path / "toy-limit2").is_dir()


def test_an_unknown_step_to_rebuild_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="did you mean 'second'"):
        run(tmp_path, STEPS, rebuild=("secnod",))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-9]), "does not have the sha256"),
        (lambda file: file.unlink(), "is missing"),
    ],
)
def test_damage_is_found_and_told(done: Path, damage: Any, message: str) -> None:
    (shard,) = done.glob("toy/first-*/part-00000.parquet")
    damage(shard)
    assert states(done, STEPS)["first"] == "damaged"
    with pytest.raises(StepFailed, match=message):
        run(done, STEPS)


def test_an_input_rebuilt_with_other_content_makes_stale(done: Path) -> None:
    (manifest,) = done.glob("toy/second-*/manifest.json")
    body = json.loads(manifest.read_text(encoding="utf-8"))
    body["inputs"]["first"] = "0" * 64
    manifest.write_text(json.dumps(body), encoding="utf-8")
    assert states(done, STEPS)["second"] == "stale"
    assert built(run(done, STEPS)) == ["second"]


def test_a_work_directory_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(RequestError, match=r"cannot be written: .*Choose another with --work"):
        run(blocked / "work", STEPS)


RUNNER = """
import signal, sys; sys.path[:0] = {path!r}
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from toys import CATALOG
if __name__ == "__main__":
    values = {values!r}
    Run(make_plan(recipe_of(values, CATALOG), Path({work!r}))).all()
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def start_sleeping_run(tmp_path: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any], list[int]]:
    pids, quick, script = tmp_path / "pids", tmp_path / "quick", tmp_path / "runner.py"
    settings = {"samples": "first", "pids": str(pids), "quick": str(quick)}
    steps = {**STEPS, "nap": {"sleep": settings}}
    values = {"potstill": 1, "name": "toy", "steps": steps}
    path = [str(Path(__file__).resolve().parent.parent)]
    text = RUNNER.format(path=path, values=values, work=str(tmp_path / "work"))
    script.write_text(text, encoding="utf-8")
    process = subprocess.Popen([sys.executable, script])
    wait_for(pids.exists)
    return process, steps, [int(pid) for pid in pids.read_text(encoding="utf-8").split()]


def test_kill_9_of_the_runner_ends_every_process_and_the_next_run_finishes(tmp_path: Path) -> None:
    process, steps, pids = start_sleeping_run(tmp_path)
    assert all(alive(pid) for pid in pids)
    process.kill()
    process.wait()
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds=10)
    (tmp_path / "quick").write_text("", encoding="utf-8")
    assert built(run(tmp_path / "work", steps)) == ["nap"]
    run(tmp_path / "calm", steps)
    assert bytes_of(tmp_path / "work") == bytes_of(tmp_path / "calm")


def test_a_second_run_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    process, steps, _ = start_sleeping_run(tmp_path)
    try:
        with pytest.raises(RequestError, match=rf"in use by process {process.pid} \(step toy/nap"):
            run(tmp_path / "work", steps)
        assert states(tmp_path / "work", steps)["nap"] == "running"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def test_ctrl_c_stops_the_step(tmp_path: Path) -> None:
    process, _, pids = start_sleeping_run(tmp_path)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds=10)


def test_open_artifact_gives_none_where_nothing_was_finished(tmp_path: Path) -> None:
    assert open_artifact(tmp_path) is None
