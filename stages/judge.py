"""The `judge` step: verdicts beside samples, one set of files for each filter.

    judge: {samples: traces, filters: [format, language, math]}

The samples are read and never copied. A set that another finished step already made of the same
samples with the same filter is taken over, so adding a filter judges only that one. No threshold
is known here: what a score is good for is `select`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import polars as pl
import pyarrow as pa
from pydantic import Field, field_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.filter import CorpusFilter, Filter, JudgeContext, SampleFilter
from ..pipeline.judging import check_reasons, judge_tables
from ..pipeline.references import FilterName, Samples
from ..pipeline.shards import read_table, shard_files
from ..pipeline.slices import columns_of
from ..pipeline.stage import Context, Metrics, Stage
from ..pipeline.verdict import VERDICT_SCHEMA, Verdict
from ..pipeline.verdicts import (
    VerdictSet,
    find_verdicts,
    samples_digest,
    take_over,
    write_verdicts,
)
from .reading.ahead import ahead

BATCH = 1000
"""Samples judged in one call: enough to keep workers busy, few enough to see progress."""


class JudgeSamples(Stage):
    """Lets filters judge samples."""

    kind: ClassVar[str] = "judge"
    makes: ClassVar[str] = "verdicts"

    samples: Samples
    filters: tuple[FilterName, ...] = Field(min_length=1)

    @field_validator("filters")
    @classmethod
    def _each_filter_once(cls, filters: tuple[str, ...]) -> tuple[str, ...]:
        if doubled := sorted({name for name in filters if filters.count(name) > 1}):
            raise ValueError(f"{', '.join(doubled)} is named more than once")
        return filters

    def run(self, context: Context) -> Metrics:
        """Write `verdicts/<filter>/`, row-aligned with the samples.

        Raises:
            StepFailed: a filter broke its contract (number of verdicts, reasons, ids).
        """
        source = context.samples(self.samples)
        digest = samples_digest(source.path)
        places = [source.path, *context.siblings]
        report = {}
        for position, name in enumerate(self.filters):
            judging = context.filters[name]
            identity = judging.identity(context.digest)
            found = find_verdicts(places, identity, digest)
            if found is not None:
                made = take_over(found, context.out, name)
                context.progress.note(f"{name}: {made.rows} verdicts taken over from {found.path}")
            else:
                tables = judged(name, judging, source, context.judging)
                seen = self._seen(tables, context, source, position)
                made = write_verdicts(context.out, name, identity, digest, seen)
            report[name] = _summary(name, made, source)
        return {"rows": source.rows, "filters": report}

    def _seen(
        self, tables: Iterable[pa.Table], context: Context, source: Artifact, position: int
    ) -> Iterator[pa.Table]:
        """Pass verdicts through with progress over all filters."""
        rows = source.rows or 0
        done = position * rows
        for table in tables:
            yield table
            done += table.num_rows
            context.progress.update(done, rows * len(self.filters), filter=self.filters[position])


def judged(
    name: str, judging: Filter, source: Artifact, context: JudgeContext
) -> Iterator[pa.Table]:
    """The verdicts on all samples of an artifact in order, as tables of VERDICT_SCHEMA.

    Raises:
        StepFailed: the filter broke its contract; the message names it.
        RequestError: the filter judges neither samples nor datasets.
    """
    if isinstance(judging, SampleFilter):
        with judging.open(context) as judge:
            # The next rows are judged while these are written.
            yield from ahead(judge_tables(name, judging, judge, source.batches(BATCH)))
    elif isinstance(judging, CorpusFilter):
        yield from _judged_as_a_whole(name, judging, source, context)
    else:
        raise RequestError(
            f"filter {name!r} is a {type(judging).__name__}; expected a SampleFilter or a "
            "CorpusFilter"
        )


def _judged_as_a_whole(
    name: str, judging: CorpusFilter, source: Artifact, context: JudgeContext
) -> Iterator[pa.Table]:
    frame = pl.scan_parquet(shard_files(source.path))
    answers = judging.judge_all(frame, context).select(VERDICT_SCHEMA.names).collect()
    ids = source.table(["id"]).column("id").to_pylist()
    if answers["id"].to_list() != ids:
        raise StepFailed(
            f"filter {name!r} answered with {answers.height} rows that are not the {len(ids)} "
            "samples in their order; expected exactly these ids"
        )
    for part in answers.iter_slices(BATCH):
        verdicts = columns_of(map(Verdict.from_row, part.iter_rows(named=True)))
        table = verdicts.table(pa.array(part["id"].to_list()))
        check_reasons(name, judging, table)
        yield table


def _summary(name: str, made: VerdictSet, source: Artifact) -> dict[str, object]:
    """What a set of verdicts says as a whole; the mean is None where nothing could be judged."""
    if made.rows != source.rows:
        raise StepFailed(
            f"filter {name!r} has {made.rows} verdicts on {source.rows} samples of step "
            f"{source.step!r}; expected one each"
        )
    scores = pl.DataFrame(read_table(shard_files(made.path), ["score"]))["score"]
    return {"mean": scores.mean(), "unjudged": scores.null_count(), "reasons": made.reasons}
