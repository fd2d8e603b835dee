"""Runs known, harmless programs without isolation: only programs that stand in this tree.

`passes` judges by calls and by what is left to run inside, with the harness and without a sandbox;
`asserts_hold` runs a key's code as its data set means it: the program, the code, and then `check`
of the entry point, in one plain process.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from potstill.filters.programs.asserts import Rewritten, holds
from potstill.filters.programs.wires import read_wire
from potstill.filters.sandbox.execution import Asserts, Calls, Execution, Limits, Task
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.unsafe import UnsafeProcesses

LIMITS = Limits(cpu_seconds=2, wall_seconds=20)


def values_of(code: str, task: Task) -> list[Any]:
    """What the harness tells of a task: events with plain values."""
    report = UnsafeProcesses(Settings()).execute(Execution(code, task, limits=LIMITS))
    return [read_wire(line) for line in report.values.splitlines()]


def asserts_hold(code: str, entry_point: str, check: str) -> bool:
    """Whether the asserts run through, all in one process with the program."""
    text = f"{code}\n\n{check}\n\ncheck({entry_point})\n"
    bounded = f"import resource; resource.setrlimit(resource.RLIMIT_CPU, (2, 2))\n{text}"
    return (
        subprocess.run([sys.executable, "-I", "-c", bounded], capture_output=True).returncode == 0
    )


def passes(code: str, entry_point: str, asked: Rewritten) -> bool:
    """Whether a program does what a key asks, by calls and what is left to run inside."""
    told: dict[int, Any] = {}
    if asked.cases:
        task = Calls(asked.entry_point, tuple(case.call for case in asked.cases))
        events = values_of(code + asked.appended, task)
        told = {event[0]: event[2] for event in events if event[1:2] == ["value"]}
    met = [number in told and holds(case, told[number]) for number, case in enumerate(asked.cases)]
    if asked.inside is None or not all(met):
        return all(met)
    ended = values_of(code, Asserts(entry_point, asked.inside))
    return ended == [[0, "value", True], ["end", 1]]
