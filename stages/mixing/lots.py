"""Drawing by lot: which rows of a part are taken, and in which order a mixture stands.

A row's lot is a function of its id, which copy of it this is, the seed and what is drawn for:
never of its place, so shards, the order of parts and workers change nothing. Ids are 16 hex digits
(pipeline/sample.py), so an id *is* a number of 64 bits, and a lot is that number scrambled by the
finaliser of SplitMix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195): the
same on every machine and in every version of polars, whose own hashes are not, and a million of
them in a tenth of a second.
"""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

ID: Final = "number"
"""Column of ids as numbers."""

_SPREAD: Final = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def ids_as_numbers(ids: pl.Series) -> pl.Series:
    """The same ids in 8 bytes each."""
    return ids.str.to_integer(base=16, dtype=pl.UInt64).alias(ID)


def lot(seed: int, use: str, copy: pl.Expr) -> pl.Expr:
    """The lot of each row of a frame with the column `ID`.

    Args:
        use: what is drawn, so that two drawings with one seed have nothing to do with each other.
        copy: which of several rows with this id.
    """
    digest = hashlib.blake2b(f"{seed}:{use}".encode(), digest_size=8).digest()
    key = _number(int.from_bytes(digest, "big"))
    return _scrambled((pl.col(ID) ^ key) + copy.cast(pl.UInt64) * _number(_SPREAD))


def numbered(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """In the order of ids, with the column `name`: how many rows with the same id came before.

    Sorted and not grouped: a hash table of a million ids takes more memory than all else here.
    """
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    begins = pl.when(pl.col(ID) != pl.col(ID).shift()).then(place).forward_fill().fill_null(0)
    return rows.sort(ID, maintain_order=True).with_columns((place - begins).alias(name))


def drawn(rows: pl.DataFrame, size: str, amount: int, seed: int) -> tuple[pl.DataFrame, pl.Series]:
    """Rows by lot until their sizes come to `amount`, again and again where one pass is too few.

    The row that crosses the amount is taken if that comes nearer to it, so what is reached differs
    from what was asked by at most half of that row's size.

    Args:
        rows: columns `ID`, `row` and one of sizes (positive integers).
        size: the column of sizes.

    Returns:
        The rows in the order drawn, repeated rows again; and the `row` of those never taken.
    """
    order = _by_lot(numbered(rows, "again"), seed, "take", "again").drop("again")
    reached = order[size].cast(pl.Int64).cum_sum()
    passes, rest = divmod(amount, int(reached[-1]))
    count = int(reached.search_sorted(rest, side="right"))
    if count < len(order):
        under = int(reached[count - 1]) if count else 0
        count += int(reached[count]) - rest < rest - under
    taken = pl.concat([*[order] * passes, order.head(count)])
    unused = order["row"].slice(count if passes == 0 else len(order))
    return taken, unused.sort()


def shuffled(taken: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows of a mixture in their order, with the column `copy`."""
    return _by_lot(numbered(taken, "copy"), seed, "order", "copy")


def _by_lot(rows: pl.DataFrame, seed: int, use: str, copy: str) -> pl.DataFrame:
    """Sorted by lot; equal lots, of which there are none in a billion rows, by id and copy."""
    lots = rows.select(lot(seed, use, pl.col(copy)).alias("lot"), pl.int_range(pl.len()))
    return rows[lots.sort("lot", maintain_order=True).to_series(1)]


def _scrambled(value: pl.Expr) -> pl.Expr:
    """Arithmetic of unsigned 64-bit numbers wraps; to divide by a power of 2 is to shift."""
    value = (value ^ value // _number(1 << 30)) * _number(_FIRST)
    value = (value ^ value // _number(1 << 27)) * _number(_SECOND)
    return value ^ value // _number(1 << 31)


def _number(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)
