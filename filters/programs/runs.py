"""Running the processes of one program: second attempts, and an end to it all.

What the sandbox got wrong is tried once more alone, and so is a process that slept or waited too
long by the clock, since on a busy machine that may be the machine's doing. CPU time needs no second
attempt. A whole program gets `TURNS` times the wall seconds of one process; a program that is
stopped at limits `STOPS` times is not run again. What was not run then counts as failed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from ..sandbox.execution import Execution, Limits, Report, Sandbox, SandboxFault, Task
from .reports import STOPPED, Failed

TURNS: Final = 10
"""Wall seconds of a program in those of one process: thousands of quick cases, or ten sleepers."""
STOPS: Final = 3
"""A program that loops on one input may be right on the others; one that loops on three is not."""
LONGEST: Final = TURNS + 2
"""`TURNS` with a process that began just before the end, and its second attempt."""


class Runs:
    """The processes of one program, each with the same limits."""

    def __init__(self, sandbox: Sandbox, language: str, limits: Limits) -> None:
        self._sandbox = sandbox
        self._language = language
        self._limits = limits
        self._end = time.monotonic() + TURNS * limits.wall_seconds
        self._stops = 0

    def report(self, code: str, task: Task, more_output_kb: int = 0) -> Report:
        """Run one process to its end.

        Args:
            more_output_kb: room for what is expected, beside the usual limit.

        Raises:
            SandboxFault: the sandbox failed twice.
            RunnerMissing: the language or the task cannot be run here.
        """
        limits = replace(self._limits, output_kb=self._limits.output_kb + more_output_kb)
        execution = Execution(code, task, self._language, limits)
        try:
            report = self._sandbox.execute(execution)
        except SandboxFault:
            return self._sandbox.execute(execution, alone=True)
        if report.ending == "wall":
            return self._sandbox.execute(execution, alone=True)
        return report

    def given_up(self, last: Failed | None) -> Failed | None:
        """What the cases that are left have failed by; None: run them.

        Args:
            last: how the process just run failed.
        """
        if last is not None and last.reason in STOPPED.values():
            self._stops += 1
            if self._stops >= STOPS:
                return last
        if time.monotonic() >= self._end:
            return Failed("timeout", {"detail": "all cases together took too long"})
        return None
