"""The `judge` step: verdicts beside samples, one set of files for each filter.

    judge: {samples: traces, filters: [format, language, math]}

The samples are read and never copied. A set that another finished step already made of the same
samples with the same filter is taken over, so adding a filter judges only that one. No threshold
is known here: what a score is good for is `select`'s business.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import polars as pl
from pydantic import Field, field_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.filter import CorpusFilter, Filter, JudgeContext, SampleFilter
from ..pipeline.judging import check_reason, judge_batch
from ..pipeline.references import FilterName, Samples
from ..pipeline.sample import Sample
from ..pipeline.shards import read_table, shard_files
from ..pipeline.stage import Context, Metrics, Stage
from ..pipeline.verdict import VERDICT_SCHEMA, Verdict
from ..pipeline.verdicts import (
    VerdictSet,
    find_verdicts,
    samples_digest,
    take_over,
    write_verdicts,
)

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
                pairs = judged(name, judging, source, context.judging)
                seen = self._seen(pairs, context, source, position)
                made = write_verdicts(context.out, name, identity, digest, seen)
            report[name] = _summary(name, made, source)
        return {"rows": source.rows, "filters": report}

    def _seen(
        self,
        pairs: Iterable[tuple[str, Verdict]],
        context: Context,
        source: Artifact,
        position: int,
    ) -> Iterator[tuple[str, Verdict]]:
        """Pass verdicts through with progress over all filters."""
        rows = source.rows or 0
        for done, pair in enumerate(pairs, start=1):
            yield pair
            if done % BATCH == 0 or done == rows:
                whole = position * rows + done
                context.progress.update(
                    whole, rows * len(self.filters), filter=self.filters[position]
                )


def judged(
    name: str, judging: Filter, source: Artifact, context: JudgeContext
) -> Iterator[tuple[str, Verdict]]:
    """(sample id, verdict) for every sample of an artifact, in order.

    Raises:
        StepFailed: the filter broke its contract; the message names it.
        RequestError: the filter judges neither samples nor datasets.
    """
    if isinstance(judging, SampleFilter):
        # The thread outlives the judge, whose workers die with the thread that started them.
        with ThreadPoolExecutor(1) as thread, judging.open(context) as judge:

            def asked(batch: list[Sample]) -> Future[list[Verdict]]:
                return thread.submit(judge_batch, name, judging, judge, batch)

            for batch, verdicts in _one_ahead(_batches(source.samples()), asked):
                yield from ((row.id, each) for row, each in zip(batch, verdicts, strict=True))
    elif isinstance(judging, CorpusFilter):
        yield from _judged_as_a_whole(name, judging, source, context)
    else:
        raise RequestError(
            f"filter {name!r} is a {type(judging).__name__}; expected a SampleFilter or a "
            "CorpusFilter"
        )


def _one_ahead(
    batches: Iterable[list[Sample]], asked: Callable[[list[Sample]], Future[list[Verdict]]]
) -> Iterator[tuple[list[Sample], list[Verdict]]]:
    """Each batch with its verdicts; the next one is judged while these are written."""
    waiting: deque[tuple[list[Sample], Future[list[Verdict]]]] = deque()
    for batch in batches:
        waiting.append((batch, asked(batch)))
        if len(waiting) > 1:
            done, verdicts = waiting.popleft()
            yield done, verdicts.result()
    for done, verdicts in waiting:
        yield done, verdicts.result()


def _batches(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    while batch := list(itertools.islice(samples, BATCH)):
        yield batch


def _judged_as_a_whole(
    name: str, judging: CorpusFilter, source: Artifact, context: JudgeContext
) -> Iterator[tuple[str, Verdict]]:
    frame = pl.scan_parquet(shard_files(source.path))
    answers = judging.judge_all(frame, context).select(VERDICT_SCHEMA.names).collect()
    ids = source.table(["id"]).column("id").to_pylist()
    if answers["id"].to_list() != ids:
        raise StepFailed(
            f"filter {name!r} answered with {answers.height} rows that are not the {len(ids)} "
            "samples in their order; expected exactly these ids"
        )
    for row in answers.iter_rows(named=True):
        verdict = Verdict.from_row(row)
        check_reason(name, judging, verdict, row["id"])
        yield row["id"], verdict


def _summary(name: str, made: VerdictSet, source: Artifact) -> dict[str, object]:
    """What a set of verdicts says as a whole; the mean is None where nothing could be judged."""
    if made.rows != source.rows:
        raise StepFailed(
            f"filter {name!r} has {made.rows} verdicts on {source.rows} samples of step "
            f"{source.step!r}; expected one each"
        )
    scores = pl.DataFrame(read_table(shard_files(made.path), ["score"]))["score"]
    return {"mean": scores.mean(), "unjudged": scores.null_count(), "reasons": made.reasons}
