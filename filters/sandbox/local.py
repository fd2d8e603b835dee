"""The sandbox of this machine for all languages: Python in a warm one, others step by step.

Each keeps what it has warm, so a data set may mix languages. Nothing is decided here but which of
the two is asked.
"""

from __future__ import annotations

from typing import Self

from .execution import Execution, Report
from .native import NativeSandbox
from .settings import Settings
from .warm import WarmSandbox


class LocalSandbox:
    """A `Sandbox` under bubblewrap; nothing is started before the first program."""

    def __init__(self, settings: Settings) -> None:
        self._python = WarmSandbox(settings)
        self._others = NativeSandbox(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Throw away what is warm; see `execution.Sandbox`."""
        self._python.close()
        self._others.close()

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run a program; see `execution.Sandbox`."""
        sandbox = self._python if execution.language == "python" else self._others
        return sandbox.execute(execution, alone=alone)
