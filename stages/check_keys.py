"""Can the judges accept the keys at all? Asked before money is spent on completions.

    potstill judge --check-keys problems.jsonl --with math

Each key is judged as if a model had answered with exactly the key. A key that is not accepted then
would turn every completion of its problem into a wrong or an unknown one: wrong keys of data sets
and forms that a judge cannot read are found here. Whether a key is *true* nobody can tell from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..filters.keyed import KeyedFilter
from ..pipeline.catalog import Catalog
from ..pipeline.errors import RequestError
from ..pipeline.filter import SampleFilter
from ..pipeline.sample import Sample
from .judge_file import BATCH, FileJudging, open_filters
from .reading.rows import Quarantined
from .reading.samples import read_samples
from .reading.stdin import local_copy


def check_keys(
    file: Path,
    names: Sequence[str],
    catalog: Catalog,
    workers: int = 0,
    *,
    work: Path = Path("work"),
    settings: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """What each filter says of each key answered with itself, as `judge_file` tells verdicts.

    Every line has the `key` and whether it is `accepted` (a score of 1); None, with the reason
    `not_asked`, where no answer can be told from the key, such as a code that tests a program.

    Raises:
        RequestError: as `judge_file`; or a filter compares with no key.
    """
    with (
        local_copy(file) as here,
        open_filters(here, names, catalog, workers, work, settings) as judging,
    ):
        rows = read_samples(here, needs_prompt=False)
        keyed = {name: _keyed(name, each) for name, each in judging.filters.items()}
        while batch := list(itertools.islice(rows, BATCH)):
            for name, each in keyed.items():
                yield from _checked(judging, name, each, batch)


def _checked(
    judging: FileJudging, name: str, keyed: KeyedFilter, batch: Sequence[Sample | Quarantined]
) -> Iterator[dict[str, Any]]:
    answered = [_answered(row, keyed) for row in batch]
    verdicts = judging.verdicts([row for row in answered if row is not None], only=name)
    for row, asked in zip(batch, answered, strict=True):
        key = row.answer if isinstance(row, Sample) else None
        if asked is None:
            yield _not_asked(row, name) | {"key": key, "accepted": None}
        else:
            told = next(verdicts)
            yield {**told, "key": key, "accepted": told["score"] == 1.0}


def _answered(row: Sample | Quarantined, keyed: KeyedFilter) -> Sample | Quarantined | None:
    if isinstance(row, Quarantined):
        return row
    answer = keyed.answering(row.answer or "")
    return None if answer is None else replace(row, completion=answer, generation=None)


def _not_asked(row: Sample | Quarantined, name: str) -> dict[str, Any]:
    found = row.id if isinstance(row, Sample) else None
    return {"id": found, "filter": name, "score": None, "reason": "not_asked", "evidence": {}}


def _keyed(name: str, judging: SampleFilter) -> KeyedFilter:
    if not isinstance(judging, KeyedFilter):
        raise RequestError(
            f"filter {name!r} compares with no key, so there is none to check; "
            "expected one such as math or choice"
        )
    return judging
