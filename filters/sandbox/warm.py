"""Python programs in a warm sandbox: one fork for each, in an isolation that outlives many.

A process under bubblewrap (`inside/zygote.py`) waits with the standard library loaded and forks a
child for every program. Each child gets five descriptors of its own from here, so this process
watches what it writes, cuts it at the limit and stops it at its time, and the forking process sees
nothing of it. The isolation is thrown away after `PROGRAMS` programs and after every one that did
not end by itself; `alone` makes one for a single program.

Nothing here decides about right and wrong, and no text from inside is parsed.
"""

from __future__ import annotations

from typing import Final, Self

from .execution import Execution, Report, RunnerMissing, SandboxFault
from .isolation import Isolation, start_in_bubblewrap
from .settings import Settings

PROGRAMS: Final = 500
"""Programs per isolation: what leaks in spite of everything does not pile up."""


class WarmSandbox:
    """Runs Python programs one after another; for one thread, which must outlive it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._isolation: Isolation | None = None
        self._programs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the isolation and everything in it; the next program gets a new one."""
        if self._isolation is not None:
            self._isolation.end()
        self._isolation, self._programs = None, 0

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run a program; see `execution.Sandbox`."""
        if execution.language != "python":
            raise RunnerMissing(f"this sandbox runs Python only, not {execution.language}")
        if alone or self._settings.mode == "oneshot":
            self.close()
        if self._isolation is None:
            self._isolation = Isolation(start_in_bubblewrap(self._settings))
        try:
            report, clean = self._isolation.run(execution)
        except (OSError, EOFError) as error:
            told = self._isolation.end()
            self._isolation = None
            raise SandboxFault(f"the sandbox broke: {told or error}") from error
        self._programs += 1
        if not clean or alone or self._programs >= PROGRAMS:
            self.close()
        return report
