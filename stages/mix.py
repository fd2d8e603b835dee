"""The `mix` step: several datasets in given proportions, shuffled.

    mix: {parts: {reasoning: 3, general: 1}, seed: 7}

Without `rows` the mixture is as large as it can be while no part is repeated: the part that is
scarcest for its weight decides, and what the others have too much of is left out as `ratio`.
`repeat: 3` lets a scarce part come up to three times; the mixture then grows until the part that
is richest for its weight is used up. Each copy has a number in the column `copy`, and (id, copy)
is the key. Which rows are taken and how they are shuffled depends on ids and seed alone, not on
the order of rows, parts or workers. The samples are held in memory while they are shuffled.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field

from ..pipeline.errors import RequestError
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import Samples
from ..pipeline.sample import SAMPLE_SCHEMA
from ..pipeline.shards import ROWS_PER_SHARD, write_table
from ..pipeline.stage import Context, Metrics, Stage
from .aside import LEFT_OUT_SCHEMA, Aside

MIXTURE_SCHEMA = SAMPLE_SCHEMA.append(pa.field("copy", pa.int64()))
"""The schema of samples, and how many times the same id came before (0: the first)."""

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Mix(Stage):
    """Mixes datasets by weight."""

    kind: ClassVar[str] = "mix"

    parts: dict[Samples, Weight] = Field(min_length=1)
    """Weight by step."""
    unit: Literal["samples"] = "samples"
    """What the weights count."""
    rows: int | None = Field(None, ge=1)
    """Size of the mixture."""
    seed: int = 0
    repeat: int = Field(1, ge=1)
    """How often one sample may be used."""

    def run(self, context: Context) -> Metrics:
        """Write the mixture, and `left_out/`.

        Raises:
            RequestError: a part is empty, or too small for what is asked.
        """
        parts = {name: context.samples(name) for name in sorted(self.parts)}
        for name, part in parts.items():
            refuse_pairs(part, f"parts.{name}")
        have = {name: artifact.rows or 0 for name, artifact in parts.items()}
        counts = self._counts(have)
        if none := [name for name, rows in counts.items() if rows == 0]:
            context.progress.note(f"the mixture is so small that it has no row of {none}")
        left_out = Aside(context.out / "left_out", LEFT_OUT_SCHEMA)
        chosen: list[tuple[str, int]] = []  # sample id, row in `frame`
        report, offset = {}, 0
        for name, artifact in parts.items():
            ids = artifact.table(["id"]).column("id").to_pylist()
            taken, unused = _take(ids, counts[name], self.seed)
            chosen += [(ids[row], offset + row) for row in taken]
            for row in unused:
                left_out.put(id=ids[row], reason="ratio")
            offset += len(ids)
            report[name] = _part_report(have[name], counts[name], len(unused))
        left_out.close()
        frame = pl.concat([part.frame(SAMPLE_SCHEMA.names) for part in parts.values()])
        _write(context, frame, _shuffled(chosen, self.seed))
        return {
            "in": sum(have.values()),
            "rows": len(chosen),
            "copies": sum(part["copies"] for part in report.values()),
            "left_out": left_out.reasons,
            "parts": report,
        }

    def _counts(self, have: Mapping[str, int]) -> dict[str, int]:
        """Rows of each part in the mixture."""
        if empty := [name for name, rows in have.items() if not rows]:
            raise RequestError(f"nothing to mix: {', '.join(empty)} holds no samples")
        weights = {name: Fraction(str(weight)) for name, weight in self.parts.items()}
        total = largest_mixture(have, weights, self.repeat) if self.rows is None else self.rows
        if total == 0:
            raise RequestError(
                f"the parts are too small for their weights: {dict(have)} rows for "
                f"{dict(self.parts)} make a mixture of 0 rows"
            )
        counts = apportion(total, weights)
        for name, rows in counts.items():
            if rows > have[name] * self.repeat:
                raise RequestError(
                    f"a mixture of {total} rows needs {rows} of {name!r}, which has {have[name]} "
                    f"(each used at most {self.repeat} times). Ask for at most "
                    f"{largest_mixture(have, weights, self.repeat)} rows, or allow "
                    f"repeat: {math.ceil(rows / have[name])}"
                )
        return counts


def largest_mixture(
    have: Mapping[str, int], weights: Mapping[str, Fraction], repeat: int = 1
) -> int:
    """Rows of the largest mixture in which nothing is used more than `repeat` times.

    It never grows beyond the size at which the part richest for its weight is used up once: to
    repeat everything only makes an epoch longer.
    """
    whole = sum(weights.values())
    sizes = [rows * whole / weights[name] for name, rows in have.items()]
    return math.floor(min(min(sizes) * repeat, max(sizes)))


def apportion(total: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole rows in proportion to the weights, `total` in all: largest remainders, ties by name."""
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: math.floor(rows) for name, rows in exact.items()}
    by_remainder = sorted(weights, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _take(ids: list[str], count: int, seed: int) -> tuple[list[int], list[int]]:
    """Rows to use (with repetitions) and rows not used, drawn by hashes of their ids."""
    occurrence: Counter[str] = Counter()
    ranks = []
    for row, sample_id in enumerate(ids):
        ranks.append((_hash(seed, "take", sample_id, occurrence[sample_id]), row))
        occurrence[sample_id] += 1
    drawn = [row for _, row in sorted(ranks)]
    taken = list(itertools.islice(itertools.cycle(drawn), count))
    return taken, sorted(drawn[count:])


def _shuffled(chosen: list[tuple[str, int]], seed: int) -> list[tuple[int, int]]:
    """(row, copy) in the order of the mixture."""
    copies: Counter[str] = Counter()
    ranked = []
    for sample_id, row in chosen:
        copy = copies[sample_id]
        copies[sample_id] += 1
        ranked.append((_hash(seed, "order", sample_id, copy), row, copy))
    return [(row, copy) for _, row, copy in sorted(ranked)]


def _hash(seed: int, use: str, sample_id: str, number: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{use}:{sample_id}:{number}".encode(), digest_size=16).digest()


def _write(context: Context, frame: pl.DataFrame, order: list[tuple[int, int]]) -> None:
    for index, batch in enumerate(_batches(order)):
        rows, copies = zip(*batch, strict=True)
        made = frame[list(rows)].with_columns(pl.Series("copy", copies, pl.Int64))
        table = made.to_arrow().cast(MIXTURE_SCHEMA)
        write_table(context.out / f"part-{index:05d}.parquet", table)
        context.progress.update(min((index + 1) * ROWS_PER_SHARD, len(order)), len(order))


def _batches(order: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(order), ROWS_PER_SHARD):
        yield order[start : start + ROWS_PER_SHARD]


def _part_report(have: int, count: int, unused: int) -> dict[str, int]:
    return {"in": have, "rows": count, "copies": count - (have - unused), "left_out": unused}
