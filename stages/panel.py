"""The filters that a generating step was given, judging in a thread beside the engine.

Completions are judged as they arrive, so that sampling of a problem can stop when enough are
accepted; the engine never waits for a judge (slow filters judge in processes of their own). Each
verdict is recorded in the journal under what was judged and by whom, so going on after a stop, or
publishing the verdicts with the dataset, judges nothing twice. What was not judged meanwhile is
judged when it is asked for (`verdicts`). Thresholds say what counts as accepted; a score of None
meets none.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeAlias

from ..models.journal import Journal
from ..models.journal_writer import JournalWriter
from ..models.order import Attempt
from ..pipeline.errors import RequestError
from ..pipeline.filter import Filter, Judge, JudgeContext, SampleFilter
from ..pipeline.judging import judge_batch
from ..pipeline.sample import Sample
from ..pipeline.verdict import Verdict
from ..pipeline.verdicts import fingerprint, sample_digest

BATCH: Final = 64
"""Completions judged in one call: few enough that verdicts come soon."""

Verdicts: TypeAlias = dict[str, Verdict]
"""By name of the filter."""


class Panel:
    """Judges a step's completions; made by `open_panel`. See `models.buying.Acceptance`."""

    def __init__(
        self,
        filters: Mapping[str, SampleFilter],
        judges: Mapping[str, Judge],
        thresholds: Mapping[str, float],
        fingerprints: Mapping[str, str],
        journal: Journal,
        label: str,
    ) -> None:
        self._label = label
        self.filters = filters
        self._judges = judges
        self._thresholds = thresholds
        self._journal = journal
        self._fingerprints = fingerprints
        self._waiting: queue.Queue[tuple[Attempt, Sample] | None] = queue.Queue()
        self._results: deque[tuple[Attempt, bool, int]] = deque()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._submitted = self._taken = self._accepted = self._tokens = 0

    @property
    def is_asked(self) -> bool:
        return bool(self.filters)

    @property
    def backlog(self) -> int:
        return self._submitted - self._taken

    def start(self, writer: JournalWriter, wake: Callable[[], None]) -> None:
        if self.is_asked:
            self._thread = threading.Thread(
                target=self._run, args=(writer, wake), name="panel", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            with self._waiting.mutex:
                self._waiting.queue.clear()  # not judged now; `verdicts` judges it when asked
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        self._results.clear()
        self._submitted = self._taken

    def submit(self, attempt: Attempt, sample: Sample) -> None:
        self._submitted += 1
        self._waiting.put((attempt, sample))

    def results(self) -> list[tuple[Attempt, bool]]:
        """Raises whatever stopped the judging."""
        if self._error is not None:
            raise self._error
        found = []
        while self._results:
            attempt, accepted, tokens = self._results.popleft()
            self._taken += 1
            self._accepted += accepted
            self._tokens += tokens
            found.append((attempt, accepted))
        return found

    def facts(self) -> dict[str, Any]:
        """Share of the completions judged in this run that meet every threshold, and tokens."""
        if not self._taken or not self._thresholds:
            return {}
        facts: dict[str, Any] = {self._label: round(self._accepted / self._taken, 3)}
        if self._accepted:
            facts[f"tokens/{self._label}"] = round(self._tokens / self._accepted)
        return facts

    def recall(self, sample: Sample) -> bool | None:
        prints = [self._fingerprints[name] for name in self._thresholds]
        known = self._journal.verdicts(sample_digest(sample), prints)
        if len(known) < len(set(prints)):
            return None
        return self.is_accepted(
            {name: known[self._fingerprints[name]] for name in self._thresholds}
        )

    def is_accepted(self, verdicts: Mapping[str, Verdict]) -> bool:
        """Whether every threshold is met; a score of None meets none."""
        return all(
            (score := verdicts[name].score) is not None and score >= threshold
            for name, threshold in self._thresholds.items()
        )

    def verdicts(self, samples: Sequence[Sample]) -> list[Verdicts]:
        """What every filter says of some samples: recorded before, or judged now."""
        prints = list(set(self._fingerprints.values()))
        known = [self._journal.verdicts(sample_digest(each), prints) for each in samples]
        found: list[Verdicts] = [{} for _ in samples]
        for name in self.filters:
            mark = self._fingerprints[name]
            missing = [row for row, verdicts in enumerate(known) if mark not in verdicts]
            judged = self._judge(name, [samples[row] for row in missing])
            for row, verdict in zip(missing, judged, strict=True):
                known[row][mark] = verdict
            for row, verdicts in enumerate(known):
                found[row][name] = verdicts[mark]
        return found

    def _judge(self, name: str, samples: Sequence[Sample]) -> list[Verdict]:
        if not samples:
            return []
        return judge_batch(name, self.filters[name], self._judges[name], samples)

    def _run(self, writer: JournalWriter, wake: Callable[[], None]) -> None:
        """The thread; an error is raised by `results`, where the loop meets it."""
        try:
            while batch := self._next_batch():
                self._judge_batch(batch, writer)
                wake()
        except BaseException as error:
            self._error = error
            wake()

    def _next_batch(self) -> list[tuple[Attempt, Sample]]:
        """Waits for one completion, then takes what else is there; empty at the end."""
        batch: list[tuple[Attempt, Sample]] = []
        while len(batch) < BATCH:
            try:
                item = self._waiting.get(block=not batch)
            except queue.Empty:
                break
            if item is None:
                return []
            batch.append(item)
        return batch

    def _judge_batch(self, batch: Sequence[tuple[Attempt, Sample]], writer: JournalWriter) -> None:
        samples = [sample for _, sample in batch]
        columns = {name: self._judge(name, samples) for name in self.filters}
        rows = [
            {name: column[row] for name, column in columns.items()} for row in range(len(batch))
        ]
        writer.put_verdicts(
            (
                sample_digest(sample),
                {self._fingerprints[name]: verdict for name, verdict in verdicts.items()},
            )
            for sample, verdicts in zip(samples, rows, strict=True)
        )
        for (attempt, sample), verdicts in zip(batch, rows, strict=True):
            made = sample.generation
            tokens = (made.completion_tokens or 0) if made else 0
            self._results.append((attempt, self.is_accepted(verdicts), tokens))


@contextmanager
def open_panel(
    filters: Mapping[str, Filter],
    thresholds: Mapping[str, float],
    context: JudgeContext,
    journal: Journal,
    label: str = "accepted",
) -> Iterator[Panel]:
    """The judges of `filters`, warm inside the block.

    Args:
        thresholds: least score of an accepted completion, by name of the filter.

    Raises:
        RequestError: a filter judges whole datasets and cannot judge one completion.
    """
    by_row: dict[str, SampleFilter] = {}
    for name, judging in filters.items():
        if not isinstance(judging, SampleFilter):
            raise RequestError(
                f"filter {name!r} ({judging.kind}) judges whole datasets, so it cannot judge "
                "completions as they come; name it in a judge step instead"
            )
        by_row[name] = judging
    with ExitStack() as stack:
        judges = {
            name: stack.enter_context(judging.open(context)) for name, judging in by_row.items()
        }
        prints = {name: fingerprint(each.identity(context.digest)) for name, each in by_row.items()}
        yield Panel(by_row, judges, thresholds, prints, journal, label)
