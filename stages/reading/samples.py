"""From the blocks of a source to its samples: what `load` does, for anyone who has a file.

The first rows are looked at together, so that a column that is nowhere is one clear error and not
a million rows set aside. `read_samples` is for commands that take a FILE.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...pipeline.errors import RequestError
from ...pipeline.sample import SAMPLE_SCHEMA, Sample
from ...pipeline.sample_batches import samples_of
from ...pipeline.sample_ids import SampleIds
from .blocks import LINE, OWN_ID, Block, Understood
from .columns import Meaning, meaning
from .readers import read_blocks
from .rows import Quarantined, Row
from .sources import LocalSource
from .understanding import rows_in, understand

LOOK_AHEAD = 1000
"""Rows read before it is decided that a column is not there."""


class Reading:
    """One pass over a source: each block with what it became. The samples have no ids yet.

    Args:
        means: what rows mean before any was seen; the first are looked at here.

    Raises:
        RequestError: a column that is needed is nowhere; also on the way, where the source is not
            readable.
    """

    def __init__(self, blocks: Iterable[Block], means: Meaning, where: str) -> None:
        self.where = where
        self._blocks = iter(blocks)
        self._first: list[Block] = []
        values: list[Mapping[str, Any]] = []
        while len(values) < LOOK_AHEAD and (block := next(self._blocks, None)) is not None:
            self._first.append(block)
            rows = itertools.islice(rows_in(block), LOOK_AHEAD)
            values += [row.values for row in rows if isinstance(row, Row)]
        try:
            self.means, self.shapes = means.for_rows(values)
            """What rows mean, and the shapes that the first have, the one that is taken first."""
            self.columns = self.means.understood(values)
            """What was understood."""
        except RequestError as error:
            raise RequestError(f"{where}: {error}") from error

    def __iter__(self) -> Iterator[tuple[Block, Understood]]:
        for block in itertools.chain(self._first, self._blocks):
            yield block, understand(self.means, block)


def with_columns_of_ids(ids: SampleIds, samples: pl.DataFrame) -> pa.Table:
    """Samples as they are written: with their ids, in the schema of samples."""
    given = ids.give(samples).select(SAMPLE_SCHEMA.names)
    return given.to_arrow().cast(SAMPLE_SCHEMA)


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
    try:
        means = replace(meaning(columns, {}, path.stem), needs_prompt=needs_prompt)
    except ValueError as error:
        raise RequestError(str(error)) from error
    ids = SampleIds()
    for _, found in Reading(read_blocks(LocalSource(path)), means, str(path)):
        bad = iter(found.bad)
        next_bad = next(bad, None)
        lines = found.samples[LINE].to_list()
        for line, sample in zip(lines, _samples(ids, found.samples), strict=True):
            while next_bad is not None and next_bad.number < line:
                yield next_bad
                next_bad = next(bad, None)
            yield sample
        if next_bad is not None:
            yield next_bad
        yield from bad


def _samples(ids: SampleIds, samples: pl.DataFrame) -> Iterator[Sample]:
    table = with_columns_of_ids(ids, samples)
    own = samples[OWN_ID].to_list()
    made = (sample for batch in table.combine_chunks().to_batches() for sample in samples_of(batch))
    for sample, name in zip(made, own, strict=True):
        yield sample if name is None else replace(sample, id=name)
