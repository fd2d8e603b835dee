"""Stages that spend, defer a wish to stop, or end badly; and a command line that knows them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Annotated, Any, ClassVar

from toys import FILTERS, STAGES

from potstill.pipeline.budget import Spent
from potstill.pipeline.catalog import Catalog
from potstill.pipeline.errors import RequestError, StoppedOnPurpose
from potstill.pipeline.forecast import Forecast
from potstill.pipeline.references import Execution, Samples
from potstill.pipeline.shards import write_samples, write_text
from potstill.pipeline.stage import Context, Metrics, Preview, Stage

File = Annotated[str, Execution()]


class Round(Stage):
    """Works until the file `finish` is there; tells its pids, and its end, in files.

    `manner`: what a wish to stop does to it.
    """

    kind: ClassVar[str] = "round"

    samples: Samples
    folder: File
    manner: Annotated[str, Execution()] = "defers"

    def run(self, context: Context) -> Metrics:
        if self.manner == "defers":
            with context.stop.deferred():
                self._work(context)
            if context.stop.requested:
                raise StoppedOnPurpose("the round is over; run the same command for the next")
        elif self.manner == "interrupted":
            self._work(context)
        elif self.manner == "translates":
            try:
                self._work(context)
            except KeyboardInterrupt as error:
                raise ValueError("a library's own error") from error
        else:
            self._stubborn(context)
        return {"rows": write_samples(context.out, context.samples(self.samples).samples())}

    def _work(self, context: Context) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        folder = Path(self.folder)
        write_text(folder / "pids", f"{os.getpid()} {child.pid}")
        while not (folder / "finish").exists():
            time.sleep(0.02)
        write_text(folder / "finished", "")
        child.kill()

    def _stubborn(self, context: Context) -> None:
        while True:
            try:
                self._work(context)
            except KeyboardInterrupt:
                continue


class Holder(Stage):
    """Dies while a child of it holds its pipe to the runner open."""

    kind: ClassVar[str] = "holder"

    def run(self, context: Context) -> Metrics:
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(600)
        os._exit(3)


class Buy(Stage):
    """Spends what it is told, and says what it was allowed to."""

    kind: ClassVar[str] = "buy"

    samples: Samples
    tokens: int = 10
    usd: float = 0.5
    bad: bool = False

    def run(self, context: Context) -> Metrics:
        context.progress.spent(Spent(self.tokens // 2, 1, self.usd / 2))
        context.progress.spent(Spent(self.tokens, 2, self.usd))
        rows = write_samples(context.out, context.samples(self.samples).samples())
        budget = context.budget
        return {"rows": rows, "allowed": [budget.tokens, budget.requests, budget.usd]}

    def forecast(self, context: Context) -> Forecast | None:
        if self.bad:
            raise RequestError("no price")
        rows = context.samples(self.samples).rows or 0
        return Forecast(rows, have=1, tokens=10 * rows, basis="ten each")

    def preview(self, context: Context) -> Preview | None:
        return Asked(context.step)


class Asked:
    """A preview."""

    def __init__(self, step: str) -> None:
        self.step = step

    def facts(self) -> dict[str, Any]:
        return {"step": self.step}


CATALOG = Catalog(STAGES | {stage.kind: stage for stage in (Round, Holder, Buy)}, FILTERS)


def command_line(*arguments: str) -> None:
    """`potstill ARGUMENTS` with these stages in the place of the shipped ones."""
    catalog = types.ModuleType("potstill.catalog")
    catalog.CATALOG = CATALOG  # type: ignore[attr-defined]
    sys.modules["potstill.catalog"] = catalog
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    sys.argv = ["potstill", *arguments]
    from potstill.cli import main

    main()


SCRIPT = """
import sys; sys.path[:0] = {path!r}
from potstill.pipeline import watch
from toys_that_stop import command_line
if __name__ == "__main__":
    watch.GRACE_SECONDS = {grace!r}
    command_line(*sys.argv[1:])
"""


def start_command(folder: Path, *arguments: str, grace: float = 10.0) -> subprocess.Popen[str]:
    """The command line in a process of its own; stderr goes to the file `folder/stderr`."""
    script = folder / "potstill_with_toys.py"
    path = [str(Path(__file__).resolve().parent)]
    script.write_text(SCRIPT.format(path=path, grace=grace), encoding="utf-8")
    with (folder / "stderr").open("w", encoding="utf-8") as stderr:
        return subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            text=True,
        )
