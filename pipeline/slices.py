"""Slices of a table of samples as jobs: a cheap row filter judges hundreds of rows in one.

Where a verdict takes microseconds, most of the time goes into what surrounds it: a sample pickled,
a verdict pickled, both booked one by one in the process that hands them out. A slice travels as
Arrow bytes and its verdicts come back as three lists, so that process has next to nothing to do.

Nobody is blamed here: a slice in which anything fails is judged again row by row (`row_judge.py`),
where every accident costs its own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from .sample import Sample
from .sample_batches import samples_of
from .verdict import VERDICT_SCHEMA, Verdict

if TYPE_CHECKING:
    from .filter import RowFilter

MOST_ROWS: Final = 250
"""15 ms of a filter that takes 60 µs: a message costs 0.2 ms, and the last slice keeps nobody long.
"""
_MOST_BYTES: Final = 1 << 19
"""Rows of 30 kB are usual: a slice of them is as long as it needs to be, not 7 MB."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of SAMPLE_SCHEMA as one Arrow IPC stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SliceVerdicts:
    """The verdicts on a slice, in its order, as columns of VERDICT_SCHEMA."""

    scores: list[float | None]
    reasons: list[str]
    evidence: list[str]

    def table(self, ids: pa.Array) -> pa.Table:
        """With the ids of the rows."""
        columns = [ids, self.scores, self.reasons, self.evidence]
        arrays = map(pa.array, columns, VERDICT_SCHEMA.types)
        return pa.Table.from_arrays(list(arrays), schema=VERDICT_SCHEMA)


def columns_of(verdicts: Iterable[Verdict]) -> SliceVerdicts:
    """Verdicts as columns; evidence as `Verdict.to_row` writes it."""
    rows = [verdict.to_row("") for verdict in verdicts]
    return SliceVerdicts(*([row[name] for row in rows] for name in ("score", "reason", "evidence")))


def slices_of(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch cut into pieces of at most `MOST_ROWS` rows, fewer where they are long."""
    size = MOST_ROWS
    if batch.nbytes:
        size = max(1, min(size, _MOST_BYTES * batch.num_rows // batch.nbytes))
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def packed(batch: pa.RecordBatch) -> Slice:
    """A batch as a job."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return Slice(sink.getvalue().to_pybytes())


def judge_job(row_filter: RowFilter, job: Sample | Slice) -> Verdict | SliceVerdicts:
    """What a worker does: judge one sample, or all samples of a slice.

    Raises:
        TypeError: on a row of a slice the filter returned no verdict.
    """
    if isinstance(job, Sample):
        return row_filter.judge_one(job)
    with pa.ipc.open_stream(pa.py_buffer(job.data)) as stream:
        return columns_of(_verdicts(row_filter, list(samples_of(stream.read_next_batch()))))


def _verdicts(row_filter: RowFilter, samples: Sequence[Sample]) -> Iterator[Verdict]:
    for sample in samples:
        verdict = row_filter.judge_one(sample)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"{verdict!r:.80} is no verdict")
        yield verdict
