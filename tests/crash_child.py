"""`potstill run` in forks of one warm process, killed when told: a run costs no imports.

Reads a line of JSON for each run ({recipe, work, output, kill_after, fail}), forks, lets the child
be `potstill run RECIPE --work WORK`, and reports as lines of JSON on its own output: what the run
tells as spent while it lasts, and at last how it ended. Two things are not as in real life: a step
works in the process of the runner, not in one of its own, and the workers that judge are forks too
(crash_workers.py). So kill -9 hits runner and step at once; what happens where it does not is tried
with real processes (crash/test_real_processes.py).
"""

from __future__ import annotations

import functools
import gc
import json
import os
import select
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import aiohttp  # noqa: F401 - the forks find it imported
import polars  # noqa: F401
import pyarrow.compute
import pyarrow.parquet
from crash_workers import start_forked

from potstill import catalog, cli, cli_common  # noqa: F401
from potstill.models import buying, endpoint_teacher
from potstill.pipeline import failpoints, publish, runner, workers
from potstill.pipeline.interrupts import Interrupts
from potstill.pipeline.process import StepTask
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.stage import Metrics
from potstill.pipeline.step_process import ERRORS, _error_event
from potstill.pipeline.stopping import StopSignal
from potstill.views import exits, live, outcome  # noqa: F401

SLOW_S = 0.003
"""What a slow disk takes at each step of a commit."""
LONGEST_S = 100.0
"""After this a run hangs, and is killed."""

_reports = os.dup(1)


def report(**facts: Any) -> None:
    """One line, in one piece even at kill -9: it is shorter than what a pipe takes at once."""
    os.write(_reports, (json.dumps(facts) + "\n").encode())


def in_this_process(
    task: StepTask,
    on_event: Callable[[Event], None],
    on_start: Callable[[int], None],
    interrupts: Interrupts | None = None,
) -> Metrics:
    """In the place of `run_in_process`: the same events, the same errors."""
    stop = StopSignal()

    def send(event: Event) -> None:
        if event["event"] == "spent":
            report(step=task.step, tokens=event["tokens"], requests=event["requests"])
        on_event(event)

    on_start(os.getpid())
    try:
        return task.stage.run(task.context(Progress(send), stop))
    except Exception as error:
        told = _error_event(task, error, stop)
        raise ERRORS[told["kind"]](told["message"]) from error


class Counting:
    """In the place of an armed fail point: counts how often each one is passed."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def passed(self, name: str) -> None:
        self.seen[name] += 1


class SlowDisk:
    """In the place of an armed fail point: gives kills time to hit the journal."""

    def passed(self, name: str) -> None:
        if name.startswith("journal."):
            time.sleep(SLOW_S)


def build(recipe: Path, work: Path) -> None:
    """What `cli.run` does."""
    plan = cli._plan(recipe, None, work, None)
    cli_common.build_plan(plan, False, workers=1)


def be_the_command(order: dict[str, Any]) -> NoReturn:
    """The child."""
    os.setsid()
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    runner.run_in_process = in_this_process
    workers.start_worker = start_forked
    endpoint_teacher.BACKOFF_START_S = 0.002  # type: ignore[misc]
    buying._UPDATE_S = 0.0  # type: ignore[misc] - each round tells what is durable
    counting = Counting()
    instead = {"count": counting, "slow disk": SlowDisk()}.get(order["fail"])
    failpoints._armed = instead or failpoints.parse(order["fail"])  # type: ignore[assignment]
    code = 70
    try:
        exits.leave(lambda **_: build(Path(order["recipe"]), Path(order["work"])))  # type: ignore[arg-type]
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        report(passed=counting.seen)
        os._exit(code)


def run(order: dict[str, Any]) -> None:
    """One run: fork, wait, perhaps kill, report."""
    child = os.fork()
    if not child:
        be_the_command(order)
    ended = os.pidfd_open(child)
    seconds = LONGEST_S if order["kill_after"] is None else order["kill_after"]
    killed = not select.select([ended], [], [], seconds)[0]
    if killed:
        os.kill(child, signal.SIGKILL)
    os.close(ended)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    report(ended=code, hung=killed and order["kill_after"] is None)


def main() -> None:
    if threading.active_count() > 1:  # the allocators' own threads know of forks
        raise AssertionError("a thread runs here, so a fork could find its locks held")
    publish._versions = functools.cache(publish._versions)
    publish._versions()
    pyarrow.Table.from_pylist([{"text": "what this imports is imported"}])
    gc.freeze()
    report(ready=True)
    for line in sys.stdin:
        run(json.loads(line))


if __name__ == "__main__":
    main()
