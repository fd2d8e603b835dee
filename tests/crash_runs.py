"""Runs that crash tests start: forks of a warm process that can be killed, or real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash_bench import Site

MARK = "POTSTILL_CRASH_TEST"
"""An environment variable by which every process of a run is found again."""

_TESTS = Path(__file__).parent


@dataclass
class Ended:
    """A run that is over, and what it told while it lasted."""

    code: int
    text: str
    """What it printed."""
    tokens: int = 0
    """Told as spent, that is: durable."""
    requests: int = 0
    passed: Mapping[str, int] = field(default_factory=dict)
    """How often each fail point was passed, if that was asked for."""


class Warm:
    """The process of crash_child.py; `close` ends it."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [sys.executable, str(_TESTS / "crash_child.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, MARK: self.mark},
        )
        assert self._heard() == {"ready": True}

    def begin(self, site: Site, kill_after: float | None = None, fail: str = "") -> None:
        """Begin a run; `end` waits for it.

        Args:
            kill_after: seconds after which it is killed; None: not at all.
            fail: a fail point, as POTSTILL_FAILPOINT says it; or `count`, to tell how often each is
                passed; or `slow disk`, to give kills time to hit the journal.
        """
        self._output = site.output.with_name(f"output-{self.mark}")
        order = {
            "recipe": str(site.recipe),
            "work": str(site.work),
            "output": str(self._output),
            "kill_after": kill_after,
            "fail": fail,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def end(self) -> Ended:
        """How it ended."""
        made = Ended(code=0, text="")
        while "ended" not in (told := self._heard()):
            if "passed" in told:
                made.passed = told["passed"]
            elif told["step"] == "crash/traces":
                made.tokens, made.requests = told["tokens"], told["requests"]
        made.code = told["ended"]
        made.text = self._output.read_text(encoding="utf-8") if self._output.exists() else ""
        assert not told["hung"], f"the run hangs: {made.text}"
        return made

    def run(self, site: Site, **how: Any) -> Ended:
        """A whole run."""
        self.begin(site, **how)
        return self.end()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    @property
    def leftovers(self) -> list[int]:
        """Processes that runs left behind."""
        return [pid for pid in marked(self.mark) if pid != self._process.pid]


def command(site: Site, mark: str) -> subprocess.Popen[bytes]:
    """`potstill run` as a user starts it; what it prints goes to `site.output`."""
    interruptible = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    start = f"{interruptible}; from potstill.cli import main; main()"
    arguments = ["run", str(site.recipe), "--work", str(site.work), "--workers", "1"]
    with site.output.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", start, *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, MARK: mark},
        )


def marked(mark: str) -> list[int]:
    """Living processes that were started with this mark, and their forks."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            if state != "Z" and needle in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has just ended
            continue
    return found
