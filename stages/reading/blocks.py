"""What flows from files to samples: rows in blocks, as columns where they are plain.

A reader cuts a source into blocks of bounded size. A block whose rows fit columns exactly, each
value the very one that was written, is a `Columns`; any other is a `Listed`, and its rows are
read one by one. Both kinds become the same samples: `Columns` is only faster. What the columns
mean is `columns.py`'s business; ids are given when all of a block's samples are known.

How rows are cut into blocks must not show in any sample, and columns cannot tell a null from a
missing key. So an object's nulls are as good as absent wherever a row is read: `without_nulls`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import polars as pl

from .rows import Quarantined, Row

LINE: Final = "__line__"
"""Column of the line or row number (from 1, Int64) beside the columns of a source or a sample."""
OWN_ID: Final = "__own_id__"
"""Column of the id that the source itself gives a row (String), null where it gives none."""


@dataclass(frozen=True)
class Columns:
    """Rows as columns: those of the source, exactly as written, and `LINE`.

    Types are String, Boolean, Int64, Float64 (finite), Null, and List and Struct of these.
    """

    file: str
    frame: pl.DataFrame
    raw: Callable[[int], str]
    """Text of the row at this place of the frame, as it stood in the file."""


@dataclass(frozen=True)
class Listed:
    """Rows one by one: some may already be known to be unusable."""

    file: str
    rows: Sequence[Row | Quarantined]


Block: TypeAlias = Columns | Listed


def rows_of(block: Block) -> int:
    """How many rows of the source a block has."""
    return block.frame.height if isinstance(block, Columns) else len(block.rows)


def without_nulls(value: Any) -> Any:
    """A value whose objects, at any depth, have no member that is null."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Understood:
    """What a block became."""

    samples: pl.DataFrame
    """The columns of `SAMPLE_SCHEMA` but id and prompt_id, then `LINE` and `OWN_ID`; in the order
    of the rows. A row of the source may become several samples (several answers to a problem)."""
    used: int
    """Rows of the source that became samples."""
    bad: list[Quarantined] = field(default_factory=list)
    """Rows that became none; `used + len(bad)` is the number of rows in the block."""
    forms: Counter[str] = field(default_factory=Counter)
    """Completions by the form of their thought (thinking.py)."""
