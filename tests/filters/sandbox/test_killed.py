"""kill -9 of a worker or of the whole judge: within two seconds no program and no sandbox is left.

The judge runs as a program of its own. What is below it is noted while its programs sleep or burn,
then somebody is killed. This process adopts orphans, so nothing can hide.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from census import adopted_orphans, control_groups, descendants, within

from potstill.filters.sandbox.execution import Execution, Limits, Script
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox

JUDGES = """
import json, sys
from potstill.filters.code import Code
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import new_sample

key = json.dumps({"kind": "stdio", "cases": [{"stdin": "", "stdout": "1\\n"}]})
rows = [
    new_sample((), completion=f"```python\\n{sys.argv[1]}\\n```", answer=key, extra=f'{{"n":{n}}}')
    for n in range(2)
]
with Code(cpu_seconds=60, wall_seconds=60).open(JudgeContext(workers=2)) as judge:
    print("open", flush=True)
    judge.judge(rows)
"""
PROGRAMS = {
    "asleep": "import time; time.sleep(600)",
    "busy": "while True: pass",
    "deaf": (
        "import signal, os\nfor n in signal.valid_signals():\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "os.closerange(0, 64)\nwhile True: pass"
    ),
    "many threads": (
        "import threading, time\n"
        "for _ in range(20): threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "time.sleep(600)"
    ),
}
PROCESSES_OF_TWO = 2 * 4
"""Two workers; in each sandbox bubblewrap twice, the process that forks and the program."""


@pytest.fixture(autouse=True, scope="module")
def orphans() -> Iterator[None]:
    with adopted_orphans():
        yield


@contextmanager
def judging(program: str) -> Iterator[subprocess.Popen[str]]:
    """A judge with two workers, each in the middle of this program."""
    judge = subprocess.Popen(
        [sys.executable, "-c", JUDGES, program], stdout=subprocess.PIPE, text=True
    )
    try:
        assert judge.stdout is not None
        assert judge.stdout.readline() == "open\n"
        assert within(20.0, lambda: len(descendants(judge.pid)) >= PROCESSES_OF_TWO)
        time.sleep(0.5)
        yield judge
    finally:
        judge.kill()
        judge.communicate()


def workers_of(judge: subprocess.Popen[str]) -> list[int]:
    """Its children."""
    children = Path(f"/proc/{judge.pid}/task").glob("*/children")
    return [int(number) for each in children for number in each.read_text().split()]


def gone(numbers: set[int]) -> bool:
    """Whether none of these runs any more; a zombie of ours is only not buried yet."""
    present = descendants()
    return not {number for number in numbers if present.get(number, "Z") != "Z"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_outlives_a_killed_judge(bubblewrap: str, name: str) -> None:
    with judging(PROGRAMS[name]) as judge:
        below = set(descendants(judge.pid))
        workers = set(workers_of(judge))
        assert len(workers) == 2
        os.kill(judge.pid, signal.SIGKILL)
        assert within(2.0, lambda: gone(below)), {n: _command(n) for n in below if not gone({n})}
    for worker in workers:  # orphans that this process adopted
        os.waitpid(worker, 0)
    with WarmSandbox(Settings()) as next_one:  # sweeps up after the dead
        next_one.execute(Execution("pass", Script()))
    assert control_groups(workers) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_outlives_a_killed_worker(bubblewrap: str, name: str) -> None:
    with judging(PROGRAMS[name]) as judge:
        worker = workers_of(judge)[0]
        below = set(descendants(worker))
        assert len(below) >= PROCESSES_OF_TWO // 2 - 1
        os.kill(worker, signal.SIGKILL)
        assert within(2.0, lambda: gone(below)), {n: _command(n) for n in below if not gone({n})}


@pytest.mark.parametrize("code", ["pass", "while True: pass", "import os; os.mkdir('/tmp/left')"])
def test_a_closed_sandbox_leaves_nobody_to_bury(bubblewrap: str, code: str) -> None:
    """The first process of a container often buries nobody: its table of processes would fill."""
    before = set(descendants())
    with WarmSandbox(Settings()) as sandbox:
        sandbox.execute(Execution(code, Script(), limits=Limits(1, 10.0)))
    assert set(descendants()) <= before


def _command(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "gone"
