"""What the crash tests are made of: a place to run in, runs that die, and what they left behind.

A `Site` is a folder with a recipe, its problems and a work directory; `Warm` runs the recipe in
forks of a warm process; `command` runs it as a user would. What must hold afterwards is in
crash_invariants.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faulty_server import FaultyServer, serving

TOKENS = 18
"""Of each answer of the server: 11 of the prompt and 7 of the completion."""

FIXED: Mapping[str, Any] = {"samples": 3}
UNTIL: Mapping[str, Any] = {"until": {"accepted": 2, "samples": 5}}

MARK = "POTSTILL_CRASH_TEST"
"""An environment variable by which every process of a run is found again."""

_TESTS = Path(__file__).parent


class HalfRight(FaultyServer):
    """Every other answer never closes its thought, so that `format` rejects it."""

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        made = super().answer(body, name)
        if int(name, 16) % 2:
            message = made["choices"][0]["message"]
            message["content"] = message["content"].replace("</think>", "")
        return made


@dataclass
class Site:
    """A folder with a recipe; its `server` answers, its `work` holds what was made."""

    folder: Path
    server: FaultyServer
    concurrency: int

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.yaml"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def artifact(self, step: str) -> Path:
        (found,) = (self.work / "crash").glob(f"{step}-*")
        return found


@contextmanager
def open_site(
    folder: Path,
    asking: Mapping[str, Any] = UNTIL,
    problems: int = 40,
    concurrency: int = 8,
    **server: Any,
) -> Iterator[Site]:
    """A site whose recipe loads, generates, judges and selects."""
    folder.mkdir(parents=True)
    with serving(HalfRight(retry_after="0.01", **server)) as running:
        site = Site(folder, running, concurrency)
        lines = ({"prompt": f"{n} + 1?", "answer": str(n + 1)} for n in range(problems))
        text = "".join(json.dumps({**line, "language": "en"}) + "\n" for line in lines)
        (folder / "problems.jsonl").write_text(text, encoding="utf-8")
        site.recipe.write_text(json.dumps(_recipe(site, asking)), encoding="utf-8")
        yield site


def _recipe(site: Site, asking: Mapping[str, Any]) -> dict[str, Any]:
    teacher = {"base_url": f"{site.server.url}/v1", "model": "r1", "attempts": 12}
    traces = {
        "prompts": "problems",
        "teacher": teacher,
        "sampling": {"max_tokens": 50},
        "accept": {"format": 1},
        "concurrency": site.concurrency,
        **asking,
    }
    chosen = {"samples": "traces", "verdicts": "verdicts", "keep": {"format": 1}}
    return {
        "potstill": 1,
        "name": "crash",
        "filters": {"format": {}, "length": {}},
        "steps": {
            "problems": {"load": {"source": "./problems.jsonl"}},
            "traces": {"generate": traces},
            "verdicts": {"judge": {"samples": "traces", "filters": ["format", "length"]}},
            "chosen": {"select": chosen},
        },
    }


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

    def begin(
        self, site: Site, kill_after: float | None = None, fail: str = "", count: bool = False
    ) -> None:
        """Begin a run; `end` waits for it.

        Args:
            kill_after: seconds after which it is killed; None: not at all.
            fail: a fail point, as POTSTILL_FAILPOINT says it.
            count: tell how often each fail point was passed.
        """
        self._output = site.output.with_name(f"output-{self.mark}")
        order = {
            "recipe": str(site.recipe),
            "work": str(site.work),
            "output": str(self._output),
            "kill_after": kill_after,
            "fail": fail,
            "count": count,
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
