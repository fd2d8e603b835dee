"""The filters that a generating step was given, open while it runs.

Completions are judged in small batches as they arrive, between two steps of the engine and not
beside it: on a CPU an engine whose cores are shared slows down ten times. What is judged serves
the accepted share on the progress bar, and is published with the dataset as verdicts, so that
`judge` need not do it again. Rows that came from the journal are judged at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from ..pipeline.errors import RequestError
from ..pipeline.filter import Filter, Judge, JudgeContext, SampleFilter
from ..pipeline.sample import Sample
from ..pipeline.shards import read_table, shard_files
from ..pipeline.verdict import Verdict
from ..pipeline.verdicts import samples_digest, write_verdicts

BATCH: Final = 32
_CHUNK: Final = 1000

Place: TypeAlias = tuple[int, int]
"""Row of the problems and sample index: where a completion belongs."""

Scores: TypeAlias = list[float | None]
"""One filter's scores, aligned with the rows of a dataset."""


class Panel:
    """Judges a step's completions; made by `open_panel`."""

    def __init__(
        self,
        filters: Mapping[str, SampleFilter],
        judges: Mapping[str, Judge],
        thresholds: Mapping[str, float],
    ) -> None:
        self._filters = filters
        self._judges = judges
        self._thresholds = thresholds
        self._early: dict[Place, dict[str, Verdict]] = {}
        self._waiting: list[tuple[Place, Sample]] = []
        self._accepted = 0

    def see(self, place: Place, sample: Sample) -> None:
        """Take a completion that has just arrived."""
        if not self._filters:
            return
        self._waiting.append((place, sample))
        if len(self._waiting) >= BATCH:
            self._judge_waiting()

    def facts(self) -> dict[str, float]:
        """`accepted`: share of the completions seen so far that meet every threshold.

        Judges what waits, so whoever asks now and then sets the size of the batches.
        """
        self._judge_waiting()
        judged = len(self._early)
        if not judged or not self._thresholds:
            return {}
        return {"accepted": round(self._accepted / judged, 3)}

    def publish(self, out: Path, places: Sequence[Place]) -> dict[str, Scores]:
        """Write verdicts on every row of the dataset in `out`; returns the scores.

        Args:
            places: where each row belongs, in the order of the rows.
        """
        digest = samples_digest(out)
        scores: dict[str, Scores] = {}
        for name, judging in self._filters.items():
            scores[name] = []
            rows = self._verdicts(name, out, places, scores[name])
            write_verdicts(out, name, judging, digest, rows)
        return scores

    def accepted(self, scores: Mapping[str, Scores]) -> int:
        """How many rows meet every threshold; a score of None meets none."""
        columns = [
            [score is not None and score >= threshold for score in scores[name]]
            for name, threshold in self._thresholds.items()
        ]
        return sum(map(all, zip(*columns, strict=True)))

    def _judge_waiting(self) -> None:
        if not self._waiting:
            return
        samples = [sample for _, sample in self._waiting]
        columns = {name: judge.judge(samples) for name, judge in self._judges.items()}
        for row, (place, _) in enumerate(self._waiting):
            verdicts = {name: column[row] for name, column in columns.items()}
            self._early[place] = verdicts
            self._accepted += all(
                (score := verdicts[name].score) is not None and score >= threshold
                for name, threshold in self._thresholds.items()
            )
        self._waiting.clear()

    def _verdicts(
        self, name: str, out: Path, places: Sequence[Place], scores: Scores
    ) -> Iterator[tuple[str, Verdict]]:
        rows = zip(places, _samples(out), strict=True)
        while chunk := list(islice(rows, _CHUNK)):
            late = [sample for place, sample in chunk if place not in self._early]
            judged = iter(self._judges[name].judge(late) if late else [])
            for place, sample in chunk:
                early = self._early.get(place)
                verdict = early[name] if early else next(judged)
                scores.append(verdict.score)
                yield sample.id, verdict


@contextmanager
def open_panel(
    filters: Mapping[str, Filter],
    thresholds: Mapping[str, float],
    context: JudgeContext,
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
        yield Panel(by_row, judges, thresholds)


def _samples(folder: Path) -> Iterator[Sample]:
    for file in shard_files(folder):
        for batch in read_table(file).to_batches(max_chunksize=_CHUNK):
            yield from map(Sample.from_row, batch.to_pylist())
