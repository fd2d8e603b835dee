"""Judging a file without a recipe: one verdict per row and filter, in order.

    potstill judge FILE --with math,language

FILE is anything `load` reads, with any of the `Sample` fields; the same filters, settings and
verdicts as in a run. A row that cannot be read is told in its place with score null: unknown is
not wrong. Nothing is written.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..pipeline.catalog import Catalog
from ..pipeline.errors import RequestError
from ..pipeline.filter import Judge, JudgeContext, SampleFilter
from ..pipeline.sample import Sample
from .judge import judge_batch
from .reading.rows import Quarantined
from .reading.samples import read_samples

BATCH = 200
"""Rows judged together; small, so that the first verdicts of a long file come soon."""


def judge_file(
    file: Path, names: Sequence[str], catalog: Catalog, workers: int = 0
) -> Iterator[dict[str, Any]]:
    """Verdicts as `{"id", "filter", "score", "reason", "evidence"}`, row by row.

    Args:
        names: kinds of filters, with their default settings.

    Raises:
        RequestError: the file or a filter is not there, or a filter needs a whole dataset.
    """
    filters = {name.strip(): _filter(name.strip(), catalog) for name in names}
    rows = read_samples(file, needs_prompt=False)
    with ExitStack() as stack:
        context = JudgeContext(workers=workers or os.cpu_count() or 1)
        judges = {name: stack.enter_context(each.open(context)) for name, each in filters.items()}
        while batch := list(itertools.islice(rows, BATCH)):
            yield from _judged(batch, filters, judges)


def _filter(name: str, catalog: Catalog) -> SampleFilter:
    made = catalog.filter(name)()
    if not isinstance(made, SampleFilter):
        raise RequestError(f"filter {name!r} judges whole datasets; use it in a recipe")
    return made


def _judged(
    batch: Sequence[Sample | Quarantined],
    filters: dict[str, SampleFilter],
    judges: dict[str, Judge],
) -> Iterator[dict[str, Any]]:
    samples = [row for row in batch if isinstance(row, Sample)]
    columns = {
        name: [verdict for _, verdict in judge_batch(name, filters[name], judges[name], samples)]
        for name in filters
    }
    position = 0
    for row in batch:
        for name in filters:
            if isinstance(row, Quarantined):
                yield _unreadable(row, name)
            else:
                verdict = columns[name][position]
                told = {"score": verdict.score, "reason": verdict.reason}
                yield {"id": row.id, "filter": name, **told, "evidence": dict(verdict.evidence)}
        position += isinstance(row, Sample)


def _unreadable(row: Quarantined, name: str) -> dict[str, Any]:
    evidence = {"row": row.number, "text": row.text}
    reason = f"quarantined:{row.reason}"
    return {"id": None, "filter": name, "score": None, "reason": reason, "evidence": evidence}
