"""Runs a row filter in worker processes: all cores, and a judge that dies costs one row.

Samples go to the workers of `workers.py` and verdicts come back in order, so the number of workers
changes no verdict. A sample whose judging failed was tried again alone in a fresh process; only
then the filter says what that means, with the outcome of its control sample beside it. What a
filter cannot do here: keep state between samples that decides verdicts (caches are fine).

Whole tables are judged row by row until a row turns out to be cheap, then in slices (`slices.py`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import pyarrow as pa

from .errors import StepFailed
from .filter import RowFilter
from .outcome import Done, Outcome, Raised
from .sample import Sample
from .sample_batches import samples_of
from .slices import Slice, columns_of, judge_job, packed, slices_of
from .verdict import Verdict
from .workers import WorkerPool

Pool: TypeAlias = WorkerPool[Sample | Slice, Any]

HOPELESS: Final = 20
"""Samples on which a filter raised, before it judged any: the filter is broken, not the samples.
Going on would buy completions that nobody can accept."""
CHEAP_SECONDS: Final = 0.001
"""A row that takes longer gains nothing from company, and its worker is better sent one by one."""
_SLICES_PER_WORKER: Final = 8
"""Handed out together: at their end a worker waits for half a slice, 6 % of the time."""


@contextlib.contextmanager
def open_row_judge(row_filter: RowFilter, workers: int) -> Iterator[RowJudge]:
    """A judge whose processes start with the first sample and end with the block."""
    limits = row_filter.limits()
    count = max(workers, 1)
    pool: Pool = WorkerPool(
        partial(judge_job, row_filter),
        count=count,
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_mb << 20,
        initializer=row_filter.warm,
    )
    with pool:
        yield RowJudge(row_filter, pool, count)


class RowJudge:
    """Judges batches; safe to call from several threads, one at a time inside."""

    def __init__(self, row_filter: RowFilter, pool: Pool, workers: int) -> None:
        self._filter = row_filter
        self._pool = pool
        self._workers = workers
        self._is_cheap = False
        self._lock = threading.Lock()
        self._raised: int | None = 0
        """On how many samples it raised before it judged one; None once it has."""

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        """One verdict each, in order.

        Raises:
            StepFailed: the filter is broken: it raised on everything, or returned no verdict.
        """
        with self._lock:
            outcomes = list(self._pool.map(samples))
            self._give_up_if_hopeless(outcomes)
            failed = [row for row, outcome in enumerate(outcomes) if not isinstance(outcome, Done)]
            controls = self._controls({row: samples[row] for row in failed})
        return [
            self._verdict(sample, outcomes[row], controls.get(row))
            for row, sample in enumerate(samples)
        ]

    def judge_tables(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        """Tables of VERDICT_SCHEMA that tell, one after another, of all rows in their order.

        Args:
            batches: of SAMPLE_SCHEMA.

        Raises:
            StepFailed: as `judge` does.
        """
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            if self._is_cheap:
                waiting += slices_of(batch)
            else:
                yield self._timed(batch)
            if len(waiting) >= self._workers * _SLICES_PER_WORKER:
                yield from self._in_slices(waiting)
                waiting = []
        yield from self._in_slices(waiting)

    def _timed(self, batch: pa.RecordBatch) -> pa.Table:
        started = time.monotonic()
        made = self._judged(batch)
        seconds = (time.monotonic() - started) * self._workers
        self._is_cheap = seconds < CHEAP_SECONDS * batch.num_rows
        return made

    def _judged(self, batch: pa.RecordBatch) -> pa.Table:
        return columns_of(self.judge(list(samples_of(batch)))).table(batch.column("id"))

    def _in_slices(self, slices: Sequence[pa.RecordBatch]) -> Iterator[pa.Table]:
        with self._lock:
            outcomes = list(self._pool.map([packed(batch) for batch in slices]))
        for batch, outcome in zip(slices, outcomes, strict=True):
            if isinstance(outcome, Done):
                yield outcome.value.table(batch.column("id"))
            else:
                yield self._judged(batch)

    def _give_up_if_hopeless(self, outcomes: Sequence[Outcome[Verdict]]) -> None:
        if self._raised is None or any(isinstance(each, Done) for each in outcomes):
            self._raised = None
            return
        raised = [each for each in outcomes if isinstance(each, Raised)]
        self._raised += len(raised)
        if self._raised >= HOPELESS:
            raise StepFailed(
                f"{type(self._filter).__name__}.judge_one raised on all of its first "
                f"{self._raised} samples, lastly {raised[-1].type}: {raised[-1].message:.300}. "
                "Mend the filter; what was bought is kept."
            )

    def _controls(self, failed: Mapping[int, Sample]) -> dict[int, Outcome[Verdict]]:
        """What became of the controls of the rows that failed; equal ones are judged once."""
        asked = {row: self._filter.control(sample) for row, sample in failed.items()}
        different = list(dict.fromkeys(each for each in asked.values() if each is not None))
        outcomes = dict(zip(different, self._pool.map(different), strict=True))
        return {row: outcomes[control] for row, control in asked.items() if control is not None}

    def _verdict(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        if not isinstance(outcome, Done):
            return self._filter.failed(sample, outcome, control)
        if not isinstance(outcome.value, Verdict):
            raise StepFailed(
                f"{type(self._filter).__name__}.judge_one returned {outcome.value!r:.80} on sample "
                f"{sample.id}; expected a Verdict"
            )
        return outcome.value
