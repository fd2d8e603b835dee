"""`inspect` of odd tables, of what is damaged, and of folders that hold steps and not rows."""

from __future__ import annotations

import datetime
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from screens import drawn
from typer.testing import CliRunner

from potstill.cli import app
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.locate import find_path
from potstill.views.compare import compare
from potstill.views.diff import diff
from potstill.views.inspect import inspect
from potstill.views.terminal import number

ODD = {
    "id": ["a", "b"],
    "a.b": [1, 2],
    "day": [datetime.date(2020, 1, 31)] * 2,
    "price": [Decimal("1.50")] * 2,
    "nested": [{"a": {"b": [3]}}] * 2,
    "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
    "bytes": [b"\x00\xff"] * 2,
    "nothing": [None, None],
}


@pytest.mark.parametrize("form", ["parquet", "ipc", "ipc_stream"])
def test_columns_of_any_type(tmp_path: Path, form: str) -> None:
    file = tmp_path / ("odd.parquet" if form == "parquet" else "odd.arrow")
    getattr(pl.DataFrame(ODD), f"write_{form}")(file)
    found = inspect(file, sample=2)
    assert found.columns["kind"] == "Categorical"
    text = drawn(found)
    assert "day         2020-01-31\n" in text
    assert "price       1.50\n" in text
    assert "distinct texts" in drawn(inspect(file))


def test_columns_with_dots_and_fields_at_any_depth(tmp_path: Path) -> None:
    file = tmp_path / "odd.parquet"
    pl.DataFrame(ODD).write_parquet(file)
    found = inspect(file, columns="a.b,nested.a.b", sample=1)
    assert found.samples is not None
    assert found.samples[0]["row"].keys() == {"a.b", "nested.a.b"}
    assert found.samples[0]["row"]["nested.a.b"] == [3]
    assert set(inspect(file, columns="a.b").profile["numbers"]) == {"a.b"}
    with pytest.raises(RequestError, match=r"--columns nested\.a\.c: no field 'c'; .*Known: b"):
        inspect(file, columns="nested.a.c")


@pytest.mark.parametrize("look", [{"where": "id = 'b'"}, {"sample": 2}, {"id": "b"}])
def test_no_name_of_a_column_is_taken(tmp_path: Path, look: dict[str, Any]) -> None:
    file = tmp_path / "names.parquet"
    pl.DataFrame({"__row__": [1, 2], "index": [3, 4], "id": ["a", "b"]}).write_parquet(file)
    found = inspect(file, **look).samples
    assert found is not None
    assert found[-1]["row"] == {"__row__": 2, "index": 4, "id": "b"}
    assert diff(file, file).equal == 2


@pytest.mark.parametrize("schema", [{}, {"a": pl.String, "n": pl.Int64}])
def test_no_rows_have_no_figures(tmp_path: Path, schema: dict[str, Any]) -> None:
    file = tmp_path / "zero.parquet"
    pl.DataFrame(schema=schema).write_parquet(file)
    assert inspect(file).profile == {}
    assert "0 rows" in drawn(inspect(file))
    if schema:
        assert "a String" in drawn(inspect(file, columns="a"))
    with pytest.raises(RequestError, match=f"Columns: {'a, n' if schema else 'none'}"):
        inspect(file, where="x = 1")


def test_names_of_json_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n{"\\ud800": 1}\n{"a": "\\ud800"}\n')
    (tmp_path / "rows.json").write_text('[{"a": 1}, {"\\ud800": 1}, {"a": "\\ud800"}]')
    for name in ("rows.jsonl", "rows.json"):
        found = inspect(tmp_path / name)
        assert (found.rows, found.rejected["broken"]["reasons"]) == (2, {"not_utf8": 1})
        assert "not_utf8" in drawn(found)


def test_names_of_csv_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"caf\xe9,b\n1,2\n")
    assert list(inspect(tmp_path / "latin.csv").columns) == ["caf\\xe9", "b"]


def test_messages_name_the_first_of_very_many_columns(tmp_path: Path) -> None:
    file = tmp_path / "wide.parquet"
    pl.DataFrame({f"c{n}": [n] for n in range(1000)}).write_parquet(file)
    for asked in ({"where": "x = 1"}, {"columns": "x"}, {"id": "x"}):
        with pytest.raises(RequestError, match="and 960 more") as caught:
            inspect(file, **asked)
        assert len(str(caught.value)) < 1000


def test_nothing_left_out_is_said(tmp_path: Path, small_run: Any) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n')
    for path in (file, small_run["verdicts"].path):
        found = inspect(path, rejected=True, by="language")
        assert found.rejected == {}
        assert "nothing was left out of it" in drawn(found)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--where", ""), ("--id", ""), ("--columns", ""), ("--diff", "none"), ("--sample", "0")],
)
def test_an_option_that_is_empty_is_not_one_that_is_missing(
    tmp_path: Path, option: str, value: str
) -> None:
    """As from a shell variable that is not set."""
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": "a"}\n')
    done = CliRunner().invoke(app, ["inspect", str(file), option, value])
    assert done.exit_code == 2 or isinstance(done.exception, RequestError)


def test_damage_behind_the_head_of_a_file_is_named(tmp_path: Path, small_run: Any) -> None:
    copied = tmp_path / "quickstart"
    shutil.copytree(small_run.folder, copied)
    step = copied / "traces-00000001"
    shard = step / "part-00000.parquet"
    body = bytearray(shard.read_bytes())
    head = len(body) - 8 - int.from_bytes(body[-8:-4], "little")  # it lies at the end
    body[4:head] = b"\xff" * (head - 4)
    shard.write_bytes(body)
    looks = [
        lambda: inspect(step, sample=1),
        lambda: inspect(step, where="task = 'x'"),
        lambda: diff(step, small_run["traces"].path),
        lambda: compare(tmp_path, [str(step), str(small_run["traces"].path)]),
    ]
    for look in looks:
        with pytest.raises(StepFailed, match=r"traces-00000001.* cannot be read: .*specification"):
            look()


def test_a_work_directory_names_its_steps(tmp_path: Path, small_run: Any) -> None:
    run = tmp_path / "my work" / "quickstart"
    shutil.copytree(small_run.folder, run)
    with pytest.raises(RequestError, match=r"is a work directory with \d finished steps") as caught:
        inspect(run.parent)
    assert f"\n  potstill inspect '{run / 'traces-00000001'}'" in str(caught.value)
    with pytest.raises(RequestError, match="is the folder of a recipe with"):
        inspect(run)
    with pytest.raises(RequestError, match=r"'quickstart' is a recipe; .* quickstart/traces"):
        find_path(run.parent, "quickstart")


def test_extra_is_shown_whole(small_run: Any, tmp_path: Path) -> None:
    rows = pl.read_parquet(small_run["traces"].path / "part-00000.parquet").head(1)
    long = "x" * 5000
    file = tmp_path / "rows.parquet"
    rows.with_columns(extra=pl.lit(f'{{"a":"{long}"}}'), answer=pl.lit(long)).write_parquet(file)
    assert drawn(inspect(file, sample=1)).count(long) == 2


@pytest.mark.parametrize(
    ("value", "told"),
    [(2.0**64, "1.845e+19"), (2**64 - 1, "18,446,744,073,709,551,615"), (1234567.5, "1,234,567.5")],
)
def test_no_more_digits_than_are_known(value: float, told: str) -> None:
    assert number(value) == told
