"""What an export holds, counted while it is written: by source, task, language, length, teacher.

Tokens are not known here; a mixture's own report has them (`mix` with a student).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import polars as pl
import pyarrow as pa

from ..mixing.report import Report

_MAKER: Final = ("teacher", "revision")


class Contents:
    """Sums over the shards of the samples that are exported."""

    def __init__(self) -> None:
        self._report = Report(counted=False)
        self._makers: Counter[tuple[str, str]] = Counter()
        self._not_generated = self._with_completion = 0

    def add(self, shard: pa.Table) -> None:
        """Count a shard of samples."""
        self._report.add(shard, pl.DataFrame())
        rows = pl.DataFrame(shard.select(["completion", "generation"]))
        self._with_completion += len(rows) - rows["completion"].null_count()
        made = rows["generation"].drop_nulls()
        self._not_generated += len(rows) - len(made)
        if len(made):
            counts = made.struct.unnest().group_by(_MAKER).len()
            self._makers.update({(row[0], row[1]): row[2] for row in counts.iter_rows()})

    def facts(self) -> dict[str, Any]:
        """As JSON values: samples by group and value, and by teacher."""
        groups = self._report.facts()
        return {
            "samples": {
                name: {value: counts["samples"] for value, counts in values.items()}
                for name, values in groups.items()
            },
            "with_completion": self._with_completion,
            "teachers": [
                {"teacher": teacher, "revision": revision, "samples": count}
                for (teacher, revision), count in sorted(self._makers.items())
            ],
            "not_generated": self._not_generated,
        }
