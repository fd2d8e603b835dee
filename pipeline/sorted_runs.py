"""Numbers of 64 bits that were met before, each with a value, in bounded memory.

A Python set of a million numbers takes 90 MB. Here they lie in sorted runs of 8 bytes each (and
their values), looked up by bisection; a run is merged with the one before it once it is half as
long, so there are few runs and each number is moved a few times. What the values mean, and how
those of equal numbers become one, is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

KEY = "key"


class SortedRuns:
    """Rows by their column `KEY` (UInt64).

    Args:
        merged: for each column of values, what one value several rows with one key become.
    """

    def __init__(self, merged: Mapping[str, pl.Expr]) -> None:
        self._merged = merged
        self._runs: list[pl.DataFrame] = []

    def find(self, keys: pl.Series) -> pl.DataFrame:
        """The values of each key, in its place; null where it was never added."""
        found = pl.DataFrame(keys.alias(KEY)).with_row_index("row")
        hits = [each for run in self._runs if (each := self._hits(run, found)) is not None]
        if not hits:
            empty = (pl.lit(None, pl.UInt64).alias(name) for name in self._merged)
            return found.with_columns(*empty).select(*self._merged)
        one = pl.concat(hits).group_by("row", maintain_order=True).agg(*self._columns())
        return found.join(one, on="row", how="left", maintain_order="left").select(*self._merged)

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; the order of equal keys, in and between calls, is kept for `merged`."""
        if not rows.is_empty():
            self._runs.append(self._one_of_each(rows.select(KEY, *self._merged)))
        while len(self._runs) > 1 and 2 * self._runs[-1].height >= self._runs[-2].height:
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(self._one_of_each(pl.concat([before, last])))

    def _hits(self, run: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame | None:
        places = run[KEY].search_sorted(asked[KEY]).clip(upper_bound=run.height - 1)
        hit = run[KEY].gather(places) == asked[KEY]
        if not hit.any():
            return None
        rows = asked.filter(hit).select("row")
        return rows.hstack(run[places.filter(hit)].select(*self._merged))

    def _one_of_each(self, rows: pl.DataFrame) -> pl.DataFrame:
        ordered = rows.sort(KEY, maintain_order=True)
        if not (ordered[KEY] == ordered[KEY].shift()).any():
            return ordered
        return ordered.group_by(KEY, maintain_order=True).agg(*self._columns())

    def _columns(self) -> list[pl.Expr]:
        return [value.alias(name) for name, value in self._merged.items()]
