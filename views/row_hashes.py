"""Rows of two frames matched and compared by 64-bit hashes instead of their texts.

Of a million rows two hashes each are 16 MB, whatever their texts take. Two different texts of the
same hash would pass as equal: of a million pairs with a chance of 5e-14. Hashes are of this
process and polars version, and are never written.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .rows import INDEX

OTHER, CHANGED = "__other__", "__changed__"
"""Row number on the other side; whether the row is on both and differs."""
_KEY, _NTH, _HASH, _THERE = "__key__", "__nth__", "__hash__", "__there__"


def hash_rows(frame: pl.LazyFrame, key: Sequence[str], compared: Sequence[str]) -> pl.DataFrame:
    """Of each row its number, a hash of its key, the how-maniest of that key it is, and a hash."""
    whole = pl.struct(*compared).hash() if compared else pl.lit(0, pl.UInt64)
    keyed = pl.struct(*key).hash() if key else whole
    hashes = frame.select(INDEX, keyed.alias(_KEY), whole.alias(_HASH)).collect(engine="streaming")
    return hashes.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over(_KEY).alias(_NTH))


def pair_rows(here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Row numbers of each row on both sides, null where it is not, and whether it changed."""
    joined = here.join(there, on=[_KEY, _NTH], how="full", suffix=_THERE)
    changed = pl.col(_HASH).ne(pl.col(_HASH + _THERE)).fill_null(False).alias(CHANGED)
    return joined.select(INDEX, pl.col(INDEX + _THERE).alias(OTHER), changed)


def differing_columns(
    frames: Sequence[pl.LazyFrame], changed: pl.DataFrame, compared: Sequence[str]
) -> pl.DataFrame:
    """Of each changed row its number on both sides and, by column, whether it differs."""
    found = changed.select(INDEX, OTHER)
    hashes = [pl.col(name).hash() for name in compared]
    for frame, number, suffix in zip(frames, (INDEX, OTHER), ("", _THERE), strict=True):
        own = frame.filter(pl.col(INDEX).is_in(found[number].implode())).select(INDEX, *hashes)
        read = own.collect(engine="streaming").rename({INDEX: number})
        found = found.join(read, on=number, how="left", suffix=suffix)
    differs = (pl.col(name).ne(pl.col(name + _THERE)).alias(name) for name in compared)
    return found.select(INDEX, OTHER, *differs)
