"""A block's rows as samples: the plain ones in columns, any other one by one.

Both ways give the same samples, so how rows are cut into blocks shows in none. What rows do not
say of their language is detected from the problem, for all samples of a block together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from ...filters.languages.problem_languages import languages_of
from ...pipeline.sample import SAMPLE_SCHEMA, Sample
from .blocks import LINE, OWN_ID, Block, Columns, Understood, without_nulls
from .column_samples import FORM, PLAIN, column_samples
from .columns import Meaning
from .rows import BadRow, Quarantined, Row

_SCHEMA = pa.schema(
    [field for field in SAMPLE_SCHEMA if field.name not in ("id", "prompt_id")]
    + [pa.field(LINE, pa.int64()), pa.field(OWN_ID, pa.string()), pa.field(FORM, pa.string())]
)


def understand(means: Meaning, block: Block) -> Understood:
    """The samples of a block and the rows that became none."""
    found = column_samples(means, block.frame) if isinstance(block, Columns) else None
    if found is None:
        made, used, bad = _one_by_one(means, rows_in(block))
    else:
        odd = found[PLAIN].not_().fill_null(True).arg_true().to_list()
        rest, used, bad = _one_by_one(means, rows_in(block, odd))
        plain = found.filter(pl.col(PLAIN)).select(_SCHEMA.names)
        plain = pl.DataFrame(plain.to_arrow().cast(_SCHEMA))
        made = pl.concat([plain, rest]).sort(LINE, maintain_order=True) if odd else plain
        used += plain.height
    forms = Counter(dict(made[FORM].drop_nulls().value_counts().iter_rows()))
    return Understood(_with_languages(made.drop(FORM), means), used, bad, forms)


def rows_in(block: Block, places: list[int] | None = None) -> Iterator[Row | Quarantined]:
    """The rows of a block as Python values; of columns perhaps only those at some places."""
    if not isinstance(block, Columns):
        yield from block.rows
        return
    frame = block.frame if places is None else block.frame[places]
    numbers = frame[LINE].to_list()
    for at, values in enumerate(frame.drop(LINE).iter_rows(named=True)):
        place = at if places is None else places[at]
        yield Row(numbers[at], values, partial(block.raw, place))


def _one_by_one(
    means: Meaning, rows: Iterator[Row | Quarantined]
) -> tuple[pl.DataFrame, int, list[Quarantined]]:
    """Samples, how many rows they come from, and the rows that became none."""
    made: list[dict[str, Any]] = []
    bad: list[Quarantined] = []
    used = 0
    for row in rows:
        if isinstance(row, Quarantined):
            bad.append(row)
            continue
        try:
            samples = means.samples(without_nulls(row.values))
        except BadRow as reason:
            bad.append(row.quarantined(reason.reason))
        else:
            made += [_plain(sample, form, row) for sample, form in samples]
            used += 1
    if not made:  # `from_pylist` and `empty_table` import pandas: a fifth of a first look's time
        return pl.DataFrame(pa.Table.from_batches([], _SCHEMA)), used, bad
    table = pa.Table.from_pylist(made, schema=_SCHEMA)
    return pl.DataFrame(table), used, bad


def _plain(sample: Sample, form: str, row: Row) -> dict[str, Any]:
    own = row.values.get("id")
    told = {LINE: row.number, OWN_ID: None if own is None else str(own), FORM: form or None}
    return {**sample.to_row(), **told}


def _with_languages(samples: pl.DataFrame, means: Meaning) -> pl.DataFrame:
    if "language" in means.labels or samples["language"].null_count() == 0:
        return samples
    asked = pl.element().struct.field("role") == "user"
    question = pl.col("prompt").list.eval(pl.element().filter(asked).struct.field("content"))
    unsaid = samples["language"].is_null()
    questions = samples.filter(unsaid).select(question.list.last())["prompt"]
    languages = samples["language"].scatter(unsaid.arg_true(), languages_of(questions))
    return samples.with_columns(language=languages)
