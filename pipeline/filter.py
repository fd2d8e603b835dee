"""What a filter is: a frozen pydantic model whose fields are its config and its identity.

`open` gives a judge for the time of its use: warm workers and loaded models live there. A new row
filter is a class with fields, a `reasons` list and one `judge_one(sample)`; `RowFilter` supplies
the rest, the killable processes included (`row_judge.py`). A threshold is never a field here: it
belongs to the use (`select`, `accept`, rewards). This module knows no concrete filter.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict

from .errors import RequestError
from .fingerprint import digest_file
from .outcome import Crashed, Outcome, OutOfMemory, Raised, TimedOut
from .references import identity_config
from .sample import Sample
from .verdict import Verdict

if TYPE_CHECKING:  # a worker imports this module, and polars is half of its memory
    import polars as pl
    import pyarrow as pa

    from .stage import Context

WORKER_CRASHED: Final = "worker_crashed"
"""The reason that every row filter may give: its process died, hung or raised. Unknown."""

_PACKAGE: Final = __name__.partition(".")[0]


@dataclass(frozen=True)
class JudgeContext:
    """What a filter may use while judging and what never is identity."""

    workers: int = 1
    step: Context | None = None
    """The context of the step that judges: journal, budget, progress. None: in no step."""

    def path(self, reference: str) -> Path:
        """Folder or file that a field of the filter names."""
        return self._step(reference).path(reference)

    def digest(self, reference: str) -> str:
        """Content digest of what `path` gives."""
        return self._step(reference).digest(reference)

    def _step(self, reference: str) -> Context:
        if self.step is None:
            raise RequestError(
                f"{reference!r} can only be found by a step of a recipe or by `potstill judge`"
            )
        return self.step


class Judge(Protocol):
    """Verdicts in the order of the samples, one each."""

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]: ...


@runtime_checkable
class TableJudge(Judge, Protocol):
    """A judge that is faster where it gets whole tables: same verdicts, as VERDICT_SCHEMA."""

    def judge_tables(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]: ...


def _not_resolved(reference: str) -> str:
    raise RequestError(f"{reference!r} names something outside of the filter: its content is asked")


class Filter(BaseModel, ABC):
    """Base of all filters. `version` is raised when the judgement changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    reasons: ClassVar[frozenset[str]]
    """Every reason this filter may give: each becomes a column and a count."""
    depends: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version changes verdicts, so they are part of the identity."""

    def identity(self, digest: Callable[[str], str] = _not_resolved) -> dict[str, Any]:
        """All that decides the verdicts, as JSON values.

        Args:
            digest: what a path, hub id or step named in the config *is*.

        Raises:
            RequestError: a library it needs is not installed, or the source of a user's own
                filter cannot be read.
        """
        found: dict[str, Any] = {
            "kind": self.kind,
            "version": self.version,
            "config": identity_config(self, digest),
            "depends": {name: self._version_of(name) for name in self.depends},
        }
        if type(self).__module__.partition(".")[0] != _PACKAGE:
            found["source"] = _source_digest(type(self))
        return found

    def _version_of(self, distribution: str) -> str:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError as error:
            raise RequestError(
                f"filter {self.kind!r} needs {distribution}, which is not installed; "
                f"pip install {distribution} (or potstill[train], which brings it where models run)"
            ) from error


def _source_digest(filter_class: type[Filter]) -> str:
    """Nobody raises the version of a filter of one's own: its module is its version."""
    file = inspect.getsourcefile(filter_class)
    if file is None:
        raise RequestError(
            f"the source of filter {filter_class.__qualname__} cannot be read, so nothing could "
            "tell its verdicts from those of another version. Put it in a module of its own."
        )
    return digest_file(Path(file))


class SampleFilter(Filter):
    """A filter that judges each sample by itself."""

    @abstractmethod
    def open(self, context: JudgeContext) -> AbstractContextManager[Judge]:
        """A judge, valid inside the `with` block."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one verdict may cost before the process that works on it is killed."""

    cpu_seconds: float = 10.0
    memory_mb: int = 1024
    """Address space (MiB) that it may add to what the imports took."""


class RowFilter(SampleFilter):
    """A filter that is a function of one sample, run in processes that may be killed.

    `judge_one` may raise, crash or never return: that costs its sample, not the run.
    """

    @abstractmethod
    def judge_one(self, sample: Sample) -> Verdict:
        """The verdict on one sample; called in a worker process."""

    def limits(self) -> Limits:
        """What one verdict may cost."""
        return Limits()

    def prepared(self, context: JudgeContext) -> Self:
        """The filter as it is sent to the workers, perhaps with what it needs from the run."""
        return self

    def warm(self) -> None:
        """Called once in every worker: imports and models."""

    def control(self, sample: Sample) -> Sample | None:
        """A sample that fails in the same way only if a failure is not the completion's doing."""
        return None

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        """What it means that `judge_one` did not return on this sample, in two attempts.

        Args:
            outcome: anything but `Done`.
            control: what became of the control sample, if there is one.
        """
        return Verdict(None, WORKER_CRASHED, {"detail": brief(outcome)})

    def open(self, context: JudgeContext) -> AbstractContextManager[Judge]:
        from .row_judge import open_row_judge

        return open_row_judge(self.prepared(context), context.workers)


def brief(outcome: Outcome[Any]) -> str:
    """How a job failed, in words that are the same every time; no messages, which may not be."""
    if isinstance(outcome, Raised):
        return outcome.type
    if isinstance(outcome, TimedOut):
        return f"more than {outcome.cpu_seconds:g} s of CPU time"
    if isinstance(outcome, OutOfMemory):
        return f"more than {outcome.memory_bytes >> 20} MiB of memory"
    return outcome.detail if isinstance(outcome, Crashed) else "done"


class CorpusFilter(Filter):
    """A filter over whole datasets (near-duplicates, contamination)."""

    @abstractmethod
    def judge_all(self, samples: pl.LazyFrame, context: JudgeContext) -> pl.LazyFrame:
        """Columns id, score, reason, evidence: one row for each sample, in order."""
