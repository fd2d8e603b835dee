"""Programs in other languages than Python, each step in an isolation of its own under bubblewrap.

A compiler reads hostile text too (`#include "/etc/passwd"`, templates that never end), so it runs
in an isolation with its headers and helpers, is limited, and is thrown away. What it made comes out
as bytes, and goes into a second isolation that has shared libraries and nothing else. That one
stays for the following inputs of the same program; another program gets a new one. While the
program runs no process can be made: its system calls are those of a Python program, and the one
that starts it.

Before a language is used for the first time a program that greets must greet: if it does not, the
tools do not work inside, and nobody's program is judged by them.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from typing import Any, Final, Self

from .bubblewrap import TMP_BYTES, Inside, start
from .cgroup import ControlGroups
from .execution import Execution, Limits, Report, RunnerMissing, SandboxFault, Script
from .inside.native_job import GIVEN
from .interpreter import bound, interpreter
from .isolation import INSIDE, NATIVE_BOOT, Isolation
from .native_calls import native_program_filter, native_zygote_filter
from .runners import runner_for
from .seccomp import native_filter
from .settings import Settings
from .toolchains import Runner, Step

COMPILING: Final = Limits(cpu_seconds=20, wall_seconds=60.0, memory_mb=1536, output_kb=32 << 10)
"""Of a compiler: a header-heavy C++ program takes 2 s and 400 MB; the output holds the program."""
_COMPILER_TMP: Final = 128 << 20
_GREETING: Final = b"hello\n"


class NativeSandbox:
    """A `Sandbox` for all languages but Python; for one thread, which must outlive it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._greeted: dict[str, str | None] = {}
        """By language: what was wrong with the greeting, None if nothing."""
        self._program: tuple[str, str] | None = None
        """Language and text of the program that the two below belong to."""
        self._compiled: Report | None = None
        self._isolation: Isolation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the isolation and forget the program."""
        self._end()
        self._program, self._compiled = None, None

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run a program; see `execution.Sandbox`."""
        language = execution.language
        if not isinstance(execution.task, Script):
            raise RunnerMissing(f"only whole programs can be run in {language}, not calls")
        if language not in self._greeted:
            self._greeted[language] = self._greet(execution)
        if (problem := self._greeted[language]) is not None:
            raise RunnerMissing(f"the tools for {language} do not work in the sandbox: {problem}")
        if not alone and self._settings.mode == "warm":
            return self._execute(execution)
        self._end()
        try:
            return self._execute(execution)
        finally:
            self._end()

    def _greet(self, execution: Execution) -> str | None:
        """What a program that must say hello did instead; None if it did."""
        runner = runner_for(execution.language, "", Limits().memory_mb)
        report = self._execute(Execution(runner.hello, Script(), execution.language))
        if (report.ending, report.code, report.stdout) == ("exit", 0, _GREETING):
            return None
        said = report.stderr or report.stdout  # where Java says that its machine cannot start
        told = " ".join(said[-300:].decode("utf-8", "replace").split())
        return f"{report.ending} {report.code} {told}"

    def _execute(self, execution: Execution) -> Report:
        runner = runner_for(execution.language, execution.code, execution.limits.memory_mb)
        if self._program != (execution.language, execution.code):
            self.close()
            self._program = (execution.language, execution.code)
        if self._compiled is None and runner.compile is not None:
            self._compiled = self._compile(runner.compile, execution)
        made = self._compiled
        if made is not None and (made.ending, made.code) != ("exit", 0):
            most = execution.limits.output_kb << 10
            return replace(made, stdout=b"", stderr=made.stderr[:most], values=b"")
        return self._run(runner, execution, made.values if made else b"")

    def _compile(self, step: Step, execution: Execution) -> Report:
        isolation = self._isolated(step, b"")
        try:
            asked = replace(execution, task=Script(), limits=COMPILING)
            report, _ = isolation.run(asked)
        except (OSError, EOFError) as error:
            raise SandboxFault(f"the sandbox of a compiler broke: {error}") from error
        finally:
            isolation.end()
        return report

    def _run(self, runner: Runner, execution: Execution, program: bytes) -> Report:
        if self._isolation is None:
            self._isolation = self._isolated(runner.run, program)
        try:
            report, clean = self._isolation.run(execution)
        except (OSError, EOFError) as error:
            told = self._isolation.end()
            self._isolation = None
            raise SandboxFault(f"the sandbox broke: {told or error}") from error
        if not clean:
            self._end()
        return report

    def _end(self) -> None:
        if self._isolation is not None:
            self._isolation.end()
        self._isolation = None

    def _isolated(self, step: Step, program: bytes) -> Isolation:
        """An isolation for one step, with what a compiler made in it."""
        executable = interpreter(self._settings.python).executable
        order = json.dumps(_order(step))
        inside = Inside(
            command=[executable, "-P", "-s", "-S", "-B", "-c", NATIVE_BOOT, order],
            read_only=[INSIDE, *bound(self._settings.python, ()), *step.bound],
            texts=[(program, GIVEN)] if program else [],
            tmp_bytes=_COMPILER_TMP if step.result else TMP_BYTES,
        )

        def start_zygote(
            control: int, system_calls: bytes, groups: ControlGroups
        ) -> subprocess.Popen[bytes]:
            return start(inside, native_zygote_filter(), groups, control, subprocess.DEVNULL)

        return Isolation(start_zygote)


def _order(step: Step) -> dict[str, Any]:
    """A step as `inside/native_job.py` reads it."""
    system_calls = native_filter() if step.result else native_program_filter()
    return {
        "command": step.command,
        "source": step.source,
        "result": step.result,
        "environment": dict(step.environment),
        "filter": base64.b64encode(system_calls).decode(),
        "memory_limit": step.memory_limit,
        "beside_mb": step.beside_mb,
        "stack_mb": step.stack_mb,
        "file_mb": 64 if step.result else 16,
    }
