"""Rows to look at, wherever they lie: an artifact's samples, its verdicts, a parquet or JSONL file.

`Rows` is a lazy polars frame to filter and a way to fetch chosen rows whole, so that a look reads
the columns it needs and no more. Errors of polars become requests that can be put right: they
name the columns there are. Nothing is written, judged or repaired here.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..pipeline.errors import RequestError
from ..pipeline.shards import shard_files
from ..pipeline.verdicts import VerdictSet
from .terminal import one_line

INDEX = "__row__"
"""Name of the row number while a look is under way."""

_PARQUET = b"PAR1"


@dataclass(frozen=True)
class Rows:
    """Rows that can be filtered by column and fetched whole by number."""

    frame: pl.LazyFrame
    fetch: Callable[[Sequence[int]], list[dict[str, Any]]]
    """Whole rows by number, from 0, in the order of the numbers given."""
    broken: list[dict[str, Any]] = field(default_factory=list)
    """Lines that are no row: `row` (line number from 1), `reason` and `text`."""

    def matching(self, condition: pl.Expr | None) -> list[int]:
        """Numbers of the rows for which the condition holds."""
        frame = self.frame.with_row_index(INDEX)
        frame = frame if condition is None else frame.filter(condition)
        return [int(number) for number in frame.select(INDEX).collect()[INDEX]]

    def columns(self) -> dict[str, str]:
        """Type of each column, by name; nested ones as their fields: `[{role, content}]`."""
        return {name: _type_name(kind) for name, kind in self.frame.collect_schema().items()}


def _type_name(kind: pl.DataType) -> str:
    if isinstance(kind, pl.Struct):
        return "{" + ", ".join(field.name for field in kind.fields) + "}"
    if isinstance(kind, pl.List):
        inner = kind.inner
        return f"[{_type_name(inner if isinstance(inner, pl.DataType) else inner())}]"
    return str(kind)


def scan(files: Sequence[Path]) -> pl.LazyFrame:
    """Parquet files as one lazy frame.

    Raises:
        RequestError: a file is not whole parquet; the message names it.
    """
    for file in files:
        try:
            pl.read_parquet_schema(file)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise RequestError(
                f"{file} cannot be read as parquet: {_first_line(error)}. Expected a whole "
                "file; fetch or build it again."
            ) from error
    return pl.scan_parquet(list(files), glob=False)


def parquet_rows(files: Sequence[Path]) -> Rows:
    """The rows of parquet files, in order."""
    return lazy_rows(scan(files))


def lazy_rows(frame: pl.LazyFrame) -> Rows:
    """Rows of a lazy frame whose order is stable."""

    def fetch(numbers: Sequence[int]) -> list[dict[str, Any]]:
        chosen = frame.with_row_index(INDEX).filter(pl.col(INDEX).is_in(list(numbers)))
        return chosen.drop(INDEX).collect().to_dicts()

    return Rows(frame, fetch)


def file_rows(file: Path) -> Rows:
    """The rows of a parquet or JSONL file (gzipped or not), told apart by its first bytes.

    Raises:
        RequestError: it cannot be opened, or holds no row that can be read.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise RequestError(f"{file} cannot be opened: {error.strerror}") from error
    if start == _PARQUET or file.suffix.lower() == ".parquet":
        return parquet_rows([file])
    return _jsonl_rows(file, gzipped=start[:2] == b"\x1f\x8b")


def _jsonl_rows(file: Path, gzipped: bool) -> Rows:
    rows: list[dict[str, Any]] = []
    broken: list[dict[str, Any]] = []
    try:
        with gzip.open(file) if gzipped else file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                _take_line(number, line, rows, broken)
    except (OSError, EOFError, zlib.error) as error:
        raise RequestError(f"{file} cannot be read: {_first_line(error)}") from error
    if broken and not rows:
        raise RequestError(
            f"{file} is neither parquet nor JSONL: line {broken[0]['row']} is "
            f"{one_line(broken[0]['text'], 80)!r} ({broken[0]['reason']}). "
            "Expected one JSON object on each line."
        )
    return Rows(_scalar_frame(rows), lambda numbers: [rows[number] for number in numbers], broken)


def _take_line(
    number: int, line: bytes, rows: list[dict[str, Any]], broken: list[dict[str, Any]]
) -> None:
    if not line.strip():
        return
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        reason = "no_json"
    else:
        if isinstance(value, dict) and value:
            rows.append(value)
            return
        reason = "no_object"
    text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
    broken.append({"row": number, "reason": reason, "text": text})


def _scalar_frame(rows: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    """One column for each key, to filter by; lists, objects and mixed types as their JSON text."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [_scalar_column(name, [row.get(name) for row in rows]) for name in names]
    return pl.LazyFrame(columns)


def _scalar_column(name: str, cells: list[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int, float}:
        kinds = {float}
    if len(kinds) <= 1 and kinds <= {int, float, bool, str}:
        try:
            return pl.Series(name, cells, dtype=_DTYPES[kinds.pop()] if kinds else pl.String)
        except (pl.exceptions.PolarsError, OverflowError, UnicodeError, TypeError):
            pass  # an integer over 64 bits or a lone surrogate: its JSON text can be held
    texts = [None if cell is None else json.dumps(cell) for cell in cells]
    return pl.Series(name, texts, dtype=pl.String)


_DTYPES: dict[type, Any] = {int: pl.Int64, float: pl.Float64, bool: pl.Boolean, str: pl.String}


def with_verdicts(frame: pl.LazyFrame, sets: Mapping[str, VerdictSet]) -> pl.LazyFrame:
    """The frame with `<filter>_score` and `<filter>_reason` beside its `id`."""
    for name, found in sets.items():
        verdicts = scan(shard_files(found.path)).select(
            "id",
            pl.col("score").alias(f"{name}_score"),
            pl.col("reason").alias(f"{name}_reason"),
        )
        frame = frame.join(verdicts, on="id", how="left", maintain_order="left")
    return frame


def condition_of(where: str) -> pl.Expr:
    """A SQL condition as an expression: no statement, table or file can be named in it.

    Raises:
        RequestError: it is not one SQL expression.
    """
    try:
        return pl.sql_expr(where)
    except pl.exceptions.PolarsError as error:
        raise RequestError(
            f"--where {where!r} is no condition: {_first_line(error)}. Expected one such as "
            "\"task = 'math' and language = 'zh'\"."
        ) from error


def rows_where(rows: Rows, where: str, columns: Sequence[str]) -> list[int]:
    """Numbers of the rows for which the SQL condition holds.

    Raises:
        RequestError: it is no condition on these columns; the message names them.
    """
    condition = condition_of(where)
    try:
        return rows.matching(condition)
    except pl.exceptions.PolarsError as error:
        raise RequestError(
            f"--where {where!r}: {_first_line(error)}. Columns: {', '.join(columns)}"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().split("\n") or [""])[0].split("; valid columns", 1)[0]
