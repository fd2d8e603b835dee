"""The commands as a user gives them, in the process of the test."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from potstill.cli import app
from potstill.views.exits import exit_code_of


class Shell:
    """Runs `potstill` and keeps what it printed.

    Args:
        command: words that begin every command, as in `train sft`.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *command: str
    ) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.out = self.err = ""
        self._command = command

    def __call__(self, *arguments: str) -> int:
        """Run it; returns its exit code."""
        self.monkeypatch.setattr(sys, "argv", ["potstill", *self._command, *arguments])
        code = exit_code_of(app)
        self.out, self.err = self.capsys.readouterr()
        return code

    def told(self, *arguments: str) -> tuple[int, str, str]:
        """Run it; returns its exit code and what it printed and complained of."""
        return self(*arguments), self.out, self.err

    def json(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run it with `--json`; returns the facts."""
        assert self(*arguments, "--json") in codes, self.err
        return json.loads(self.out)
