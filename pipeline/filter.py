"""What a filter is: a frozen pydantic model whose fields are its config and its identity.

`open` gives a judge for the time of its use: warm workers and loaded models live there. A new row
filter is a class with fields, a `reasons` list and one `judge_one(sample)`; `RowFilter` supplies
the rest. A threshold is never a field here: it belongs to the use (`select`, `accept`).
This module knows no concrete filter.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from .sample import Sample
from .verdict import Verdict

if TYPE_CHECKING:  # a math worker imports this module, and polars is half of its memory
    import polars as pl


@dataclass(frozen=True)
class JudgeContext:
    """What a filter may use while judging and what never is identity."""

    workers: int = 1


class Judge(Protocol):
    """Verdicts in the order of the samples, one each."""

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]: ...


class Filter(BaseModel, ABC):
    """Base of all filters. `version` is raised when the judgement changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    reasons: ClassVar[frozenset[str]]
    """Every reason this filter may give: each becomes a column and a count."""
    depends: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version changes verdicts, so they are part of the identity."""

    def identity(self) -> dict[str, Any]:
        """All that decides the verdicts, as JSON values."""
        depends = {name: metadata.version(name) for name in self.depends}
        config = self.model_dump(mode="json")
        return {"kind": self.kind, "version": self.version, "config": config, "depends": depends}


class SampleFilter(Filter):
    """A filter that judges each sample by itself."""

    @abstractmethod
    def open(self, context: JudgeContext) -> AbstractContextManager[Judge]:
        """A judge, valid inside the `with` block."""


class RowFilter(SampleFilter):
    """The simplest filter: pure Python on one sample, no workers, no resources."""

    @abstractmethod
    def judge_one(self, sample: Sample) -> Verdict:
        """The verdict on one sample; raising here is a bug in the filter, not an opinion."""

    @contextlib.contextmanager
    def open(self, context: JudgeContext) -> Iterator[Judge]:
        yield _RowJudge(self)


class _RowJudge:
    def __init__(self, row_filter: RowFilter) -> None:
        self._filter = row_filter

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [self._filter.judge_one(sample) for sample in samples]


class CorpusFilter(Filter):
    """A filter over whole datasets (near-duplicates, contamination)."""

    @abstractmethod
    def judge_all(self, samples: pl.LazyFrame, context: JudgeContext) -> pl.LazyFrame:
        """Columns id, score, reason, evidence: one row for each sample, in order."""
