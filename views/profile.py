"""What the columns of a dataset hold: histograms of numbers and lengths, counts of common values.

Of samples: the lengths of prompt, thought, answer and completion in characters, and in tokens
where the teacher counted them; rows by task, language, source and finish_reason. Of any other
table: a histogram of each column of numbers, the lengths of each text or list and how many
distinct values it has. Texts are read from rows taken evenly from all over the dataset, numbers
and short names from all rows while these are few; how many rows each figure is of is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ..models.thinking import split
from ..pipeline.sample import SAMPLE_SCHEMA
from .histograms import histogram
from .rows import Rows

SAMPLED_ROWS = 10_000
NUM_PLACES = 10
"""Rows whose texts are read, and the places all over the dataset that they are taken from."""
COUNTED_ROWS = 3_000_000
"""Up to so many rows the short columns are counted whole."""
MAX_VALUES = 12
"""Values of a column that are named with their counts."""

COUNTED = ("task", "language", "source")


def profile(rows: Rows, columns: Sequence[str] | None = None) -> dict[str, Any]:
    """Figures of all columns, or of those named.

    Returns:
        `sampled` (rows whose texts were read), `lengths` and `numbers` by name (a `histogram`;
        lengths with their `unit`), `distinct` (of the sampled rows, by text column) and `counts`:
        by column `rows` counted, `values` with their numbers, the most common first, and `more`,
        how many other values there are.
    """
    schema = rows.frame.collect_schema()
    sampled = _sampled(rows)
    if set(SAMPLE_SCHEMA.names) <= set(schema.names()):
        found = _of_samples(rows, sampled, columns)
        others = [name for name in schema.names() if name not in SAMPLE_SCHEMA.names]
    else:
        found = {"lengths": {}, "numbers": {}, "distinct": {}, "counts": {}}
        others = schema.names()
    for name in others:
        if columns is None or name in columns:
            _add_column(found, name, schema[name], rows, sampled)
    read = sampled.select(pl.len()).collect(engine="streaming").item()
    return {"sampled": int(read), **found}


def _sampled(rows: Rows) -> pl.LazyFrame:
    """All rows where they are few, else some from evenly spread places: the same every time."""
    if rows.total is None or rows.total <= SAMPLED_ROWS:
        return rows.frame
    size = SAMPLED_ROWS // NUM_PLACES
    if len(rows.parts) >= NUM_PLACES:
        last = len(rows.parts) - 1
        chosen = [rows.parts[place * last // (NUM_PLACES - 1)] for place in range(NUM_PLACES)]
        return pl.concat([part.head(size) for part in chosen])
    starts = (place * (rows.total - size) // (NUM_PLACES - 1) for place in range(NUM_PLACES))
    return pl.concat([rows.frame.slice(start, size) for start in starts])


def _of_samples(rows: Rows, sampled: pl.LazyFrame, columns: Sequence[str] | None) -> dict[str, Any]:
    made = pl.col("generation").struct
    short = {name: pl.col(name) for name in COUNTED}
    short["finish_reason"] = made.field("finish_reason")
    asked = {
        name: expr
        for name, expr in short.items()
        if columns is None or not set(expr.meta.root_names()).isdisjoint(columns)
    }
    return {
        "lengths": _sample_lengths(sampled, columns),
        "numbers": {},
        "distinct": {},
        "counts": _known(_all_counts(_countable(rows, sampled), asked)),
    }


def _sample_lengths(
    sampled: pl.LazyFrame, columns: Sequence[str] | None
) -> dict[str, dict[str, Any]]:
    contents = pl.col("prompt").list.eval(pl.element().struct.field("content").str.len_chars())
    known = {
        "prompt": contents.list.sum().alias("prompt"),
        "completion": pl.col("completion"),
        "key": pl.col("answer").str.len_chars().alias("key"),
        "completion_tokens": pl.col("generation")
        .struct.field("completion_tokens")
        .alias("completion_tokens"),
    }
    wanted = {
        name: expr
        for name, expr in known.items()
        if columns is None or not set(expr.meta.root_names()).isdisjoint(columns)
    }
    read = sampled.select(*wanted.values()).collect(engine="streaming").to_dict()
    values = {name: read[name] for name in ("prompt",) if name in read}
    if "completion" in read:
        values |= _part_lengths(read["completion"])
    values |= {name: read[name] for name in ("completion_tokens", "key") if name in read}
    found = {
        name: {
            "unit": "tokens" if name == "completion_tokens" else "characters",
            **histogram(lengths),
        }
        for name, lengths in values.items()
    }
    return {name: figures for name, figures in found.items() if figures["known"]}


def _part_lengths(completions: pl.Series) -> dict[str, pl.Series]:
    """Lengths of thought, answer and completion; null where there is no such part."""
    parts = [text and split(text) for text in completions]  # the one place that knows the tags
    thoughts = [part and part.thought and part.thought[1] - part.thought[0] for part in parts]
    answers = [part and part.answer and part.answer[1] - part.answer[0] for part in parts]
    return {
        "thought": pl.Series(thoughts, dtype=pl.Int64),
        "answer": pl.Series(answers, dtype=pl.Int64),
        "completion": completions.str.len_chars(),
    }


def _countable(rows: Rows, sampled: pl.LazyFrame) -> pl.LazyFrame:
    few = rows.total is None or rows.total <= COUNTED_ROWS
    return rows.frame if few else sampled


def _lengths(frame: pl.LazyFrame, length: pl.Expr, unit: str = "characters") -> dict[str, Any]:
    values = frame.select(length.alias("length")).collect(engine="streaming")["length"]
    return {"unit": unit, **histogram(values)}


def _counts(frame: pl.LazyFrame, value: pl.Expr) -> dict[str, Any]:
    return _all_counts(frame, {"": value})[""]


def _all_counts(frame: pl.LazyFrame, values: Mapping[str, pl.Expr]) -> dict[str, dict[str, Any]]:
    """Counts of several columns: all of them are read at once."""
    counts = [
        frame.select(value.cast(pl.String).alias("value"))
        .group_by("value")
        .len("rows")
        .sort(["rows", "value"], descending=[True, False], nulls_last=True)
        for value in values.values()
    ]
    found = pl.collect_all(counts, engine="streaming")
    return {name: _told(counted) for name, counted in zip(values, found, strict=True)}


def _told(counted: pl.DataFrame) -> dict[str, Any]:
    return {
        "rows": int(counted["rows"].sum()),
        "values": {
            "unknown" if value is None else value: rows
            for value, rows in counted.head(MAX_VALUES).iter_rows()
        },
        "more": max(len(counted) - MAX_VALUES, 0),
    }


def _known(counts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without the columns of which nothing is known, as lengths are."""
    return {name: found for name, found in counts.items() if set(found["values"]) != {"unknown"}}


def _add_column(
    found: dict[str, Any], name: str, kind: pl.DataType, rows: Rows, sampled: pl.LazyFrame
) -> None:
    column = pl.col(name)
    if kind.is_numeric():
        values = _countable(rows, sampled).select(column).collect(engine="streaming")[name]
        found["numbers"][name] = histogram(values)
    elif kind == pl.Boolean:
        found["counts"][name] = _counts(_countable(rows, sampled), column)
    elif isinstance(kind, pl.List):
        found["lengths"][name] = _lengths(sampled, column.list.len(), "items")
    elif kind == pl.String:
        figures = sampled.select(column.drop_nulls().n_unique(), pl.len().alias("rows"))
        distinct, total = figures.collect(engine="streaming").row(0)
        found["distinct"][name] = int(distinct)
        found["lengths"][name] = _lengths(sampled, column.str.len_chars())
        if distinct <= min(MAX_VALUES, total // 2):
            found["counts"][name] = _counts(_countable(rows, sampled), column)
