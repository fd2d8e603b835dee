"""Wishes to stop, with real processes and the real command line: heard, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toys_that_stop import CATALOG, start_command

from potstill.pipeline.budget import Budget
from potstill.pipeline.errors import StepFailed, StoppedOnPurpose
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run

IN_FLIGHT = "finishing what is in flight; Ctrl-C again stops now"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Command:
    """`potstill run` of one step that works until it is told to finish."""

    def __init__(self, folder: Path, manner: str = "defers", grace: float = 10.0) -> None:
        self.folder = folder
        last = {"round": {"samples": "first", "folder": str(folder), "manner": manner}}
        self.steps: dict[str, Any] = {"first": {"numbers": {"rows": 2}}, "last": last}
        recipe = {"potstill": 1, "name": "toy", "steps": self.steps}
        (folder / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
        self.grace = grace
        self.process: subprocess.Popen[str]

    def start(self) -> Command:
        arguments = ["run", str(self.folder / "recipe.yaml"), "--work", str(self.folder / "work")]
        self.process = start_command(self.folder, *arguments, grace=self.grace)
        return self

    def until_working(self) -> Command:
        wait_for((self.folder / "pids").exists)
        return self

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "pids").read_text("utf-8").split()]

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def wish(self, signum: int = signal.SIGINT) -> None:
        self.process.send_signal(signum)

    def finish(self) -> None:
        (self.folder / "finish").write_text("", encoding="utf-8")

    @property
    def finished(self) -> bool:
        return (self.folder / "finished").exists()

    def ends(self, code: int = 75) -> None:
        """The command ends with this code, without a traceback, and leaves no process behind."""
        assert self.process.wait(timeout=60) == code, self.stderr
        assert "Traceback" not in self.stderr
        wait_for(lambda: not any(map(alive, self.pids)), seconds=10)

    def goes_on(self) -> None:
        """The same command finishes."""
        self.finish()
        self.start().ends(0)


@pytest.fixture
def command(tmp_path: Path) -> Any:
    made: list[Command] = []

    def make(*arguments: Any, **named: Any) -> Command:
        made.append(Command(tmp_path, *arguments, **named))
        return made[0].start().until_working()

    yield make
    for each in made:
        each.process.kill()
        each.process.wait()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_first_wish_lets_a_step_finish_what_it_defers_for(command: Any, signum: int) -> None:
    run = command()
    run.wish(signum)
    wait_for(lambda: IN_FLIGHT in run.stderr)
    assert all(map(alive, run.pids))
    run.finish()
    run.ends(75)
    assert run.finished
    assert "the round is over; run the same command for the next" in run.stderr
    run.goes_on()


def test_the_second_wish_kills_at_once(command: Any) -> None:
    run = command()
    run.wish()
    wait_for(lambda: IN_FLIGHT in run.stderr)
    run.wish()
    run.ends(75)
    assert not run.finished
    assert "stopped by Ctrl-C in step 'toy/last'; run the same command to go on" in run.stderr


def test_a_signal_to_every_process_of_a_job_is_one_wish(command: Any) -> None:
    """As service managers and batch systems send it: the runner's own comes on top."""
    run = command()
    os.kill(run.pids[0], signal.SIGTERM)
    run.wish(signal.SIGTERM)
    wait_for(lambda: IN_FLIGHT in run.stderr)
    run.finish()
    run.ends(75)
    assert run.finished


@pytest.mark.parametrize("manner", ["interrupted", "translates"])
def test_a_step_that_does_not_defer_ends_at_once(command: Any, manner: str) -> None:
    run = command(manner)
    run.wish()
    run.ends(75)
    assert "stopped by Ctrl-C in step 'toy/last'" in run.stderr
    assert IN_FLIGHT not in run.stderr
    assert not run.finished
    run.goes_on()


def test_a_step_that_does_not_listen_is_killed(command: Any) -> None:
    run = command("stubborn", grace=0.3)
    run.wish()
    run.ends(75)
    assert "stopped by Ctrl-C in step 'toy/last'" in run.stderr


def test_kill_9_of_the_runner_while_a_step_finishes(command: Any) -> None:
    run = command()
    run.wish()
    wait_for(lambda: IN_FLIGHT in run.stderr)
    run.wish(signal.SIGKILL)
    run.ends(-signal.SIGKILL)


def test_a_second_run_waits_if_it_is_told_to(command: Any, tmp_path: Path) -> None:
    first = command()
    folder = tmp_path / "second"
    folder.mkdir()
    recipe, work = str(tmp_path / "recipe.yaml"), str(tmp_path / "work")
    told = f"waiting for process {first.process.pid} (step toy/last) to leave {work}"

    def second() -> subprocess.Popen[str]:
        started = start_command(folder, "run", recipe, "--work", work, "--wait")
        wait_for(lambda: told in (folder / "stderr").read_text(encoding="utf-8"))
        return started

    impatient = second()
    impatient.send_signal(signal.SIGINT)
    assert impatient.wait(timeout=60) == 75
    patient = second()
    first.finish()
    first.ends(0)
    assert patient.wait(timeout=60) == 0
    assert "Nothing to do" in (folder / "stderr").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.8])
def test_a_wish_at_any_moment_is_heard(tmp_path: Path, delay: float) -> None:
    run = Command(tmp_path)
    run.finish()
    (tmp_path / "pids").write_text("", encoding="utf-8")
    run.start()
    # Not before Python is up: until then a signal simply ends it.
    wait_for(lambda: (tmp_path / "work" / ".lock").exists() or run.process.poll() is not None)
    time.sleep(delay)
    run.wish()
    assert run.process.wait(timeout=60) in (0, 75), run.stderr
    assert "Traceback" not in run.stderr
    wait_for(lambda: not any(map(alive, run.pids)), seconds=10)
    run.goes_on()


def in_this_process(tmp_path: Path, steps: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    recipe = recipe_of({"potstill": 1, "name": "toy", "steps": steps}, CATALOG)
    Run(make_plan(recipe, tmp_path / "work"), listen=events.append, **options).all()
    return events


@pytest.fixture
def up_when_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Budget:
    """A budget whose time is up as soon as the step works."""
    left = property(lambda self: 0.0 if (tmp_path / "pids").exists() else 100.0)
    monkeypatch.setattr(Budget, "seconds_left", left)
    return Budget(deadline=1.0)


def test_time_that_is_up_asks_the_step_to_stop(tmp_path: Path, up_when_working: Budget) -> None:
    notes = []

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "note":
            notes.append(event["text"])
            (tmp_path / "finish").write_text("", encoding="utf-8")

    recipe = recipe_of({"potstill": 1, "name": "toy", "steps": Command(tmp_path).steps}, CATALOG)
    with pytest.raises(StoppedOnPurpose, match="the round is over"):
        Run(make_plan(recipe, tmp_path / "work"), listen=listen, budget=up_when_working).all()
    assert notes == ["finishing what is in flight; Ctrl-C stops now"]
    assert (tmp_path / "finished").exists()


def test_time_that_is_up_interrupts_a_step_that_does_not_defer(
    tmp_path: Path, up_when_working: Budget
) -> None:
    steps = Command(tmp_path, "interrupted").steps
    expected = "stopped by --max-hours in step 'toy/last'; run the same command to go on"
    with pytest.raises(StoppedOnPurpose, match=expected):
        in_this_process(tmp_path, steps, budget=up_when_working)


def test_no_step_begins_when_time_is_up(tmp_path: Path) -> None:
    steps: dict[str, Any] = {"first": {"numbers": {}}}
    in_this_process(tmp_path, steps)
    late = Budget(deadline=time.time() - 1)
    assert in_this_process(tmp_path, steps, budget=late), "what is there needs no time"
    steps["second"] = {"copy": {"samples": "first"}}
    expected = "by --max-hours before step 'second'; run the same command to go on"
    with pytest.raises(StoppedOnPurpose, match=expected):
        in_this_process(tmp_path, steps, budget=late)


def test_what_a_step_spends_is_taken_from_the_next_ones_budget(tmp_path: Path) -> None:
    steps: dict[str, Any] = {
        "first": {"numbers": {}},
        "a": {"buy": {"samples": "first", "tokens": 30}},
        "b": {"buy": {"samples": "a", "tokens": 100}},
        "c": {"buy": {"samples": "b"}},
    }
    budget = Budget(tokens=100, requests=None, usd=1.25)
    events = in_this_process(tmp_path, steps, budget=budget)
    done = [event["metrics"] for event in events if event["event"] == "step_done"]
    assert [each.get("allowed") for each in done] == [
        None, [100, None, 1.25], [70, None, 0.75], [0, None, 0.25],
    ]  # fmt: skip


def test_a_child_that_holds_the_pipe_open_hides_no_death(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="ended by exit code 3"):
        in_this_process(tmp_path, {"first": {"holder": {}}})


def test_a_run_outside_the_main_thread(tmp_path: Path) -> None:
    """Where Python takes no signals."""
    steps = {"first": {"numbers": {}}}
    thread = threading.Thread(target=in_this_process, args=(tmp_path, steps))
    thread.start()
    thread.join(timeout=60)
    assert list(tmp_path.glob("work/toy/first-*/manifest.json"))


def test_a_log_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "work" / "toy").mkdir(parents=True)
    (tmp_path / "work" / "toy" / "logs").write_text("", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"NotADirectoryError|FileExistsError"):
        in_this_process(tmp_path, {"first": {"numbers": {}}})
