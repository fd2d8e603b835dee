"""From the rows of a source to its samples: what `load` does, for anyone who has a file.

The first rows are looked at together, so that a column that is nowhere is one clear error and not
a million rows set aside. `read_samples` is for commands that take a FILE.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...pipeline.errors import RequestError
from ...pipeline.sample import Sample, with_ids
from .columns import Meaning, meaning
from .readers import read_rows
from .rows import BadRow, Quarantined, Row

LOOK_AHEAD = 1000
"""Rows read before it is decided that a column is not there."""


class Reading:
    """One pass over a source: each row with the sample it became, or why it did not become one.

    The samples have no ids yet. Raises RequestError on the way where the source is not readable
    or a column that is needed is nowhere.
    """

    def __init__(self, rows: Iterable[Row | Quarantined], means: Meaning, where: str) -> None:
        self.where = where
        self.columns: dict[str, str] = {}
        """What was understood; known once the pass has begun."""
        self._rows = rows
        self._means = means

    def __iter__(self) -> Iterator[tuple[Row, Sample] | Quarantined]:
        rows = iter(self._rows)
        first = list(itertools.islice(rows, LOOK_AHEAD))
        values = [row.values for row in first if isinstance(row, Row)]
        try:
            self.columns = self._means.understood(values)
        except RequestError as error:
            raise RequestError(f"{self.where}: {error}") from error
        for row in itertools.chain(first, rows):
            yield row if isinstance(row, Quarantined) else self._sample(row)

    def _sample(self, row: Row) -> tuple[Row, Sample] | Quarantined:
        try:
            return row, self._means.sample(row.values)
        except BadRow as bad:
            return row.quarantined(bad.reason)


def read_samples(
    path: Path, columns: Mapping[str, str] | None = None, *, needs_prompt: bool = True
) -> Iterator[Sample | Quarantined]:
    """Samples of a file or folder in its order; a row's own `id` is kept, else it is content.

    Args:
        columns: as in `load`; well-known names are recognised without it.
        needs_prompt: whether a row without one is set aside, as `load` does.

    Raises:
        RequestError: the file cannot be read, or has no column for what is needed.
    """
    if not path.exists():
        raise RequestError(f"{path} does not exist; expected JSONL, a JSON array or parquet")
    try:
        means = replace(meaning(columns, {}, path.stem), needs_prompt=needs_prompt)
    except ValueError as error:
        raise RequestError(str(error)) from error
    waiting: list[Sample] = []
    counted = with_ids(iter(waiting.pop, None))  # one pass that counts equal rows, fed row by row
    for found in Reading(read_rows(path), means, str(path)):
        if isinstance(found, Quarantined):
            yield found
            continue
        row, sample = found
        waiting.append(sample)
        sample = next(counted)
        own = row.values.get("id")
        yield sample if own is None else replace(sample, id=str(own))
