"""`--where`: fields of structs and of JSON text, types that fit, errors that name the columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from potstill.pipeline.errors import RequestError
from potstill.views.conditions import rows_where
from potstill.views.rows import Rows, lazy_rows

ROWS: list[dict[str, Any]] = [
    {"id": "a", "made": {"index": 0}, "extra": {"level": 3, "on": True, "tag": "3", "m": 1}},
    {"id": "b", "made": {"index": 1}, "extra": {"level": 4.5, "on": False, "tag": "x", "m": "y"}},
    {"id": "c", "made": None, "extra": {"tag": None}},
]


@pytest.fixture
def rows() -> Rows:
    held = [{**row, "extra": json.dumps(row["extra"]), "note": "made.index = 9"} for row in ROWS]
    return lazy_rows(pl.LazyFrame(held))


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("made.index = 1", [1]),
        ("extra.level > 3", [1]),
        ("extra.level = 3 or extra.level is null", [0, 2]),
        ("extra.on", [0]),
        ("extra.tag = '3'", [0]),
        ("extra.m = '1'", [0]),
        ("extra.nothing is null", [0, 1, 2]),
        ("extra like '%\"level\": 3%' and extra.level = 3", [0]),
        ("note = 'made.index = 9' and id = 'b'", [1]),
        ("note = 'extra.level'", []),
        ("\"id\" = 'c'", [2]),
        ("true", [0, 1, 2]),
    ],
)
def test_fields(rows: Rows, where: str, numbers: list[int]) -> None:
    assert rows_where(rows, where, rows.columns()) == numbers


@pytest.mark.parametrize(
    "where", ["extra.level = 'x'", "made.nothing = 1", "tag = 1", "id > ", "id"]
)
def test_a_wrong_condition_is_a_request_to_mend(rows: Rows, where: str) -> None:
    with pytest.raises(RequestError, match="--where") as caught:
        rows_where(rows, where, rows.columns())
    assert "Columns: id, made, extra" in str(caught.value) or "Expected one such as" in str(
        caught.value
    )


def test_a_type_that_later_rows_do_not_keep_is_told(tmp_path: Path) -> None:
    from potstill.views import conditions

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "NUM_LOOKED_AT", 1)
        mixed = lazy_rows(pl.LazyFrame({"extra": ['{"m": 1}', '{"m": "y"}']}))
        with pytest.raises(RequestError, match="conversion"):
            rows_where(mixed, "extra.m = 1", ["extra"])


@pytest.mark.parametrize(
    "where",
    [
        "id in (select id from read_parquet('FILE'))",
        "exists (SELECT * FROM read_parquet('FILE'))",
        "exists (\n FROM read_parquet('FILE'))",
        "exists (/* ' */ from read_parquet('FILE')) -- '",
        "id = $$'$$ or exists (select * from read_parquet('FILE')) or id = $$'$$",
        "id = `'` or exists (select * from read_parquet('FILE')) or id = `'`",
        "id = q'[']' or exists (select * from read_parquet('FILE')) or id = ''",
        "id = 'a'; select 1",
    ],
)
def test_a_condition_reads_no_file(rows: Rows, where: str, tmp_path: Path) -> None:
    """Refused for its form, and not for what the file would be."""
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "file")
    for there in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(RequestError, match="is not allowed in it"):
            rows_where(rows, where.replace("FILE", str(there)), rows.columns())


@pytest.mark.parametrize(
    "where",
    [
        "id <> 'select; -- $ `'",
        "extra.select is null",
        "id is distinct from 'select from'",
        "note like '%it''s (from%' or true",
    ],
)
def test_words_of_sql_in_texts_and_names_are_harmless(rows: Rows, where: str) -> None:
    assert rows_where(rows, where, rows.columns())
