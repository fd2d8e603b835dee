"""What steps that ask a model share: buy what is missing, write the dataset, judge and count it.

The dataset is written after everything is bought, in the order of problems and sample indices,
from the journal. So its bytes and metrics depend on journal and config alone: not on the order of
arrival, on crashes, or on which run bought what. `attempts = rows + failed` always holds. Problems
and completions stream: memory holds a chunk of them and a few numbers per row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa

from ..models.buying import Buying
from ..models.failures import Failures
from ..models.journal import Journal, open_journal
from ..models.meter import Meter
from ..models.opening import Opening
from ..models.order import Attempt, Order, chunked
from ..models.quota import prefix_length
from ..models.request import Completion
from ..pipeline.budget import Spent
from ..pipeline.collector import rare_collections
from ..pipeline.sample import Sample, with_ids
from ..pipeline.shards import read_table, shard_files, write_samples
from ..pipeline.stage import Context
from ..pipeline.verdicts import VerdictWriter, samples_digest
from .aside import Aside
from .panel import Panel, open_panel
from .tally import Tally

FAILED_SCHEMA: Final = pa.schema(
    [
        ("prompt_id", pa.string()),
        ("index", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)

_ROWS: Final = 1000


@dataclass(frozen=True)
class Sampling:
    """How one step samples: what it wants, of whom, and what counts as accepted."""

    order: Order
    openings: Sequence[Opening]
    """One for each tier of the order."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Least score of an accepted completion, by name of the filter."""
    max_failed: float = 1.0
    """Share of the attempts that may fail for good."""
    label: str = "accepted"
    """What the progress calls a sample that meets every threshold."""


def sample_problems(context: Context, sampling: Sampling) -> Tally:
    """Buy, write and judge; everything is in `context.out` afterwards.

    Raises:
        RequestError: a key or an engine is missing.
        StepFailed: more than `max_failed` of the requests failed for good, or all.
        StoppedOnPurpose: a cap was reached, or a stop was asked for.
    """
    for opening in sampling.openings:
        opening.check()
    with (
        open_journal(context.journal) as journal,
        open_panel(
            context.filters, sampling.thresholds, context.judging, journal, sampling.label
        ) as panel,
    ):
        failures = _buy(context, sampling, journal, panel)
        return _Writing(context, sampling.order, journal, panel, failures).run()


def _buy(context: Context, sampling: Sampling, journal: Journal, panel: Panel) -> Failures:
    """Tier after tier; returns what failed for good."""
    spent = Spent()
    failures = Failures(sampling.max_failed)
    for number, opening in enumerate(sampling.openings):
        most = max(each.max_tokens for each in opening.samplings)
        meter = Meter(
            context.budget.less(spent),
            opening.config.price,
            sampling.order.num_rows,
            most,
            partial(context.spending.beside, ""),
        )
        context.spending.add("", partial(_so_far, spent, meter))
        buying = Buying(
            sampling.order,
            number,
            journal,
            context.step,
            panel,
            meter,
            failures,
            context.progress,
            context.stop,
            spent,
        )
        spent = spent.plus(buying.run(opening.open))
    return failures


def _so_far(before: Spent, meter: Meter) -> Spent:
    return before.plus(meter.spent)


class _Writing:
    """Makes the dataset of what the journal holds."""

    def __init__(
        self,
        context: Context,
        order: Order,
        journal: Journal,
        panel: Panel,
        failures: Failures,
    ) -> None:
        self._context = context
        self._out = context.out
        self._order = order
        self._journal = journal
        self._panel = panel
        self._failures = failures
        self._tally = Tally(order.quota, order.tiers[0].samples, order.num_rows)
        self._failed = Aside(context.out / "failed", FAILED_SCHEMA)

    def run(self) -> Tally:
        with rare_collections():
            write_samples(self._out, with_ids(self._rows()))
        self._failed.close()
        self._tally.failed = self._failed.reasons
        if self._panel.is_asked:
            self._write_verdicts()
        return self._tally

    def _rows(self) -> Iterator[Sample]:
        for problems in chunked(self._order.attempts()):
            keys = [attempt.request.key for attempts in problems for attempt in attempts]
            bought = self._journal.read(keys)
            for attempts in problems:
                yield from self._rows_of(attempts, bought)

    def _rows_of(
        self, attempts: Sequence[Attempt], bought: Mapping[str, Completion]
    ) -> Iterator[Sample]:
        """The samples of one problem: the shortest prefix with enough accepted, or all."""
        length = len(attempts)
        if self._order.quota is not None:
            accepted = (self._is_accepted(each, bought) for each in attempts)
            length = prefix_length(accepted, self._order.quota)
        for attempt in attempts[:length]:
            done = bought.get(attempt.request.key)
            if done is None:
                self._fail(attempt)
                continue
            self._tally.row(attempt, done)
            yield self._order.sample(attempt, done)
        self._tally.surplus(bought.get(beyond.request.key) for beyond in attempts[length:])

    def _is_accepted(self, attempt: Attempt, bought: Mapping[str, Completion]) -> bool:
        done = bought.get(attempt.request.key)
        if done is None:
            return False
        sample = self._order.sample(attempt, done)
        recorded = self._panel.recall(sample)
        if recorded is None:
            return self._panel.is_accepted(self._panel.verdicts([sample])[0])
        return recorded

    def _fail(self, attempt: Attempt) -> None:
        failure = self._failures[attempt.request.key]
        self._tally.failure(attempt)
        self._failed.put(
            prompt_id=attempt.problem.prompt_id,
            index=attempt.index,
            reason=failure.reason,
            detail=failure.detail,
        )

    def _write_verdicts(self) -> None:
        """Verdicts of every filter on every row, recorded or judged now."""
        digest = samples_digest(self._out)
        writers = {
            name: VerdictWriter(self._out, name, judging.identity(self._context.digest), digest)
            for name, judging in self._panel.filters.items()
        }
        for samples in _written(self._out):
            for sample, verdicts in zip(samples, self._panel.verdicts(samples), strict=True):
                for name, verdict in verdicts.items():
                    writers[name].put(sample.id, verdict)
                self._tally.judged(verdicts, self._panel.is_accepted(verdicts))
        for writer in writers.values():
            writer.close()


def _written(folder: Path) -> Iterator[list[Sample]]:
    for file in shard_files(folder):
        for batch in read_table(file).to_batches(max_chunksize=_ROWS):
            yield [Sample.from_row(row) for row in batch.to_pylist()]
