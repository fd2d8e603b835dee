"""Small stages and filters that the tests of `pipeline` run for real, in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import PrivateAttr

from potstill.pipeline.catalog import Catalog
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.filter import Filter, Judge, JudgeContext, Limits, RowFilter, SampleFilter
from potstill.pipeline.outcome import Done, Outcome
from potstill.pipeline.references import Execution, FilterName, Model, Reference, Samples
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import write_samples, write_text
from potstill.pipeline.stage import Context, Metrics, Stage
from potstill.pipeline.verdict import Verdict


class Numbers(Stage):
    """Rows 0…n-1, or the lines of a file."""

    kind: ClassVar[str] = "numbers"

    rows: int = 3
    source: Annotated[str, Reference("samples", ("path", "builtin"), ("counting",))] = "counting"
    workers: Annotated[int, Execution()] = 1

    def run(self, context: Context) -> Metrics:
        words = [str(number) for number in range(self.rows)]
        if self.source != "counting":
            words = context.path(self.source).read_text(encoding="utf-8").split()
        made = (new_sample((Message("user", word),), answer=word) for word in words)
        return {"written": write_samples(context.out, with_ids(made))}


class Copy(Stage):
    """The rows of its input; counts how often it ran in a file of the test's choosing."""

    kind: ClassVar[str] = "copy"

    samples: Samples
    keep: dict[FilterName, float] = {}
    ledger: Annotated[str, Execution()] = ""

    def run(self, context: Context) -> Metrics:
        if self.ledger:
            with Path(self.ledger).open("a", encoding="utf-8") as file:
                file.write(f"{context.step}\n")
        rows = write_samples(context.out, context.samples(self.samples).samples())
        context.progress.update(rows, rows)
        return {"rows": rows}


class Fail(Stage):
    """Ends in the way it is told."""

    kind: ClassVar[str] = "fail"

    how: str
    samples: Samples | None = None

    def run(self, context: Context) -> Metrics:
        if self.how == "request":
            raise RequestError("the request was wrong")
        if self.how == "failed":
            raise StepFailed("the work failed")
        if self.how == "exit":
            os._exit(3)
        raise ZeroDivisionError("a bug")


class Sleep(Stage):
    """Writes its pid and that of a child, then sleeps; with `quick` a file ends it at once."""

    kind: ClassVar[str] = "sleep"

    samples: Samples
    pids: Annotated[str, Execution()]
    quick: Annotated[str, Execution()]

    def run(self, context: Context) -> Metrics:
        if not Path(self.quick).exists():
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            write_text(Path(self.pids), f"{os.getpid()} {child.pid}")
            time.sleep(600)
        return {"rows": write_samples(context.out, context.samples(self.samples).samples())}


class Teach(Stage):
    """An expensive step that makes a model."""

    kind: ClassVar[str] = "teach"
    makes: ClassVar[str] = "model"
    expensive: ClassVar[bool] = True

    data: Samples
    model: Model | None = None
    rate: float = 0.1

    def run(self, context: Context) -> Metrics:
        write_text(context.out / "config.json", "{}")
        return {}


class Bill(Copy):
    """Asks before it buys again."""

    kind: ClassVar[str] = "bill"
    price: str = ""

    def rebuild_bill(self, context: Context) -> str | None:
        return self.price or None


class InProcess(SampleFilter):
    """Judges in the test's own process, so that a test can look at it and count its calls."""

    @abstractmethod
    def judge_one(self, sample: Sample) -> Verdict: ...

    @contextmanager
    def open(self, context: JudgeContext) -> Iterator[Judge]:
        yield self

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [self.judge_one(sample) for sample in samples]


class Short(RowFilter):
    """Good if the question is at most `most` characters long."""

    kind: ClassVar[str] = "short"
    reasons: ClassVar[frozenset[str]] = frozenset({"ok", "long"})

    most: int = 5

    def judge_one(self, sample: Sample) -> Verdict:
        good = len(sample.question) <= self.most
        return Verdict(float(good), "ok" if good else "long")


class Accident(RowFilter):
    """Does what the completion says, as far as it is an accident."""

    kind: ClassVar[str] = "accident"
    reasons: ClassVar[frozenset[str]] = frozenset({"fine", "the_completion", "the_filter"})

    blames: bool = False
    said: str = ""
    _prepared: str = PrivateAttr("")
    _warm: ClassVar[str] = ""

    def limits(self) -> Limits:
        return Limits(cpu_seconds=0.5, memory_mb=256)

    def prepared(self, context: JudgeContext) -> Accident:
        copy = self.model_copy()
        copy._prepared = self.said.partition(" ")[0]
        return copy

    def warm(self) -> None:
        type(self)._warm = self.said.partition(" ")[2]

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion or ""
        if text == "say":
            return Verdict(1.0, "fine", {"said": f"{self._prepared} {self._warm}"})
        if text == "raise":
            raise ZeroDivisionError(object())  # its message is never the same
        if text == "exit":
            sys.exit(0)
        if text == "hang":
            while True:
                pass
        if text == "hang in C":
            9**9**9
        if text == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "fill the memory":
            bytearray(1 << 32)
        if text == "a string":
            return text  # type: ignore[return-value]
        return Verdict(1.0, "fine", {"length": len(text)})

    def control(self, sample: Sample) -> Sample | None:
        """What raises raises again; what hangs does not."""
        if not self.blames:
            return None
        return replace(sample, completion=sample.completion.replace("hang", "fine"))

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        if control is None:
            return super().failed(sample, outcome, control)
        its_own = isinstance(control, Done)
        return Verdict(0.0, "the_completion") if its_own else Verdict(None, "the_filter")


STAGES: dict[str, type[Stage]] = {
    stage.kind: stage for stage in (Numbers, Copy, Fail, Sleep, Teach, Bill)
}
FILTERS: dict[str, type[Filter]] = {"short": Short}
CATALOG = Catalog(STAGES, FILTERS)
