"""Judging a file without a recipe: one verdict per row and filter, in order.

    potstill judge FILE --with math,language
    potstill judge FILE --with length --set length.max_answer=200

FILE is anything `load` reads, or - for standard input, with any of the `Sample` fields; the same
filters, settings and verdicts as in a run. A row that cannot be read is told in its place with
score null: unknown is not wrong. Nothing is written, but what a filter buys goes to the work
directory's journal.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.catalog import Catalog
from ..pipeline.errors import RequestError
from ..pipeline.filter import Judge, JudgeContext, SampleFilter
from ..pipeline.judging import judge_batch
from ..pipeline.peek import context_for
from ..pipeline.plan import make_plan
from ..pipeline.recipe import check_recipe
from ..pipeline.sample import Sample
from ..pipeline.stage import Context
from ..pipeline.yaml_source import Source, override
from .reading.rows import Quarantined
from .reading.samples import read_samples
from .reading.stdin import local_copy

BATCH = 200
"""Rows judged together; small, so that the first verdicts of a long file come soon."""


def judge_file(
    file: Path,
    names: Sequence[str],
    catalog: Catalog,
    workers: int = 0,
    *,
    work: Path = Path("work"),
    settings: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Verdicts as `{"id", "filter", "score", "reason", "evidence"}`, row by row.

    Args:
        names: kinds of filters.
        settings: `NAME.FIELD=VALUE`, the settings of these filters.

    Raises:
        RequestError: the file or a filter is not there, or a filter needs a whole dataset.
    """
    with (
        local_copy(file) as here,
        open_filters(here, names, catalog, workers, work, settings) as judging,
    ):
        rows = read_samples(here, needs_prompt=False)
        while batch := list(itertools.islice(rows, BATCH)):
            yield from judging.verdicts(batch)


class FileJudging:
    """Filters opened for the rows of one file; a context manager."""

    def __init__(self, filters: dict[str, SampleFilter], context: JudgeContext) -> None:
        self.filters = filters
        self._context = context
        self._judges: dict[str, Judge] = {}
        self._stack = ExitStack()

    def __enter__(self) -> FileJudging:
        with ExitStack() as stack:
            for name, each in self.filters.items():
                self._judges[name] = stack.enter_context(each.open(self._context))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def verdicts(
        self, batch: Sequence[Sample | Quarantined], only: str = ""
    ) -> Iterator[dict[str, Any]]:
        """For each row in its order, one verdict of each filter, or of one filter only."""
        samples = [row for row in batch if isinstance(row, Sample)]
        columns = {
            name: judge_batch(name, each, self._judges[name], samples)
            for name, each in self.filters.items()
            if name == only or not only
        }
        position = 0
        for row in batch:
            for name in columns:
                if isinstance(row, Quarantined):
                    yield _unreadable(row, name)
                else:
                    verdict = columns[name][position]
                    told = {"score": verdict.score, "reason": verdict.reason}
                    yield {"id": row.id, "filter": name, **told, "evidence": dict(verdict.evidence)}
            position += isinstance(row, Sample)


def open_filters(
    file: Path,
    names: Sequence[str],
    catalog: Catalog,
    workers: int,
    work: Path,
    settings: Sequence[str],
) -> FileJudging:
    """The filters as a step `judge` of a recipe would have them, what they name resolved.

    Raises:
        RequestError: a filter or a setting is wrong, or something a filter names is not there.
    """
    kinds = {_name(kind): kind for given in names if (kind := given.strip())}
    if not kinds:
        raise RequestError(
            "no filter is named; say --with NAME[,NAME…] with names of "
            f"{', '.join(sorted(catalog.filters))}"
        )
    context = _context(file, kinds, catalog, work, settings)
    filters: dict[str, SampleFilter] = {}
    for name in kinds:
        made = context.filters[name]
        if not isinstance(made, SampleFilter):
            raise RequestError(f"filter {name!r} judges whole datasets; use it in a recipe")
        filters[name] = made
    judging = replace(context, workers=workers or os.cpu_count() or 1).judging
    return FileJudging(filters, judging)


def _name(kind: str) -> str:
    """A filter is called by its kind; one of the user's own (`module:Class`) by its class."""
    return kind.rpartition(":")[2]


def _context(
    file: Path, kinds: Mapping[str, str], catalog: Catalog, work: Path, settings: Sequence[str]
) -> Context:
    """The context of a `judge` step on the file; the step itself is never run."""
    values = {
        "potstill": 1,
        "name": "judge",
        "filters": {name: {"kind": kind} for name, kind in kinds.items()},
        "steps": {
            "rows": {"load": {"source": str(file.absolute())}},
            "verdicts": {"judge": {"samples": "rows", "filters": list(kinds)}},
        },
    }
    source = Source(Path("judge"), values)
    for assignment in settings:
        override(source, assignment, within=("filters",))
    plan = make_plan(check_recipe(source, catalog), work)
    return context_for(plan, plan.node("verdicts"), {})


def _unreadable(row: Quarantined, name: str) -> dict[str, Any]:
    evidence = {"row": row.number, "text": row.text}
    reason = f"quarantined:{row.reason}"
    return {"id": None, "filter": name, "score": None, "reason": reason, "evidence": evidence}
