"""Looking into files of any kind: rows, lines that are broken, and what cannot be read."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest
from screens import HOSTILE, drawn

from potstill.pipeline.errors import RequestError
from potstill.views.inspect import inspect, show_inspection
from potstill.views.terminal import make_console, sanitise, to_json

LINES = [
    {"id": "aaaaaa1", "n": 1, "mixed": 1, "nested": {"a": [1]}},
    {"id": "aaaaaa2", "n": 2.5, "mixed": "x", "big": 2**80},
    {"id": "bbbbbb1", "n": None, "mixed": None, "odd": "\ud800"},
]


def test_any_parquet(tmp_path: Path) -> None:
    file = tmp_path / "any.parquet"
    rows = {"n": [1, 2, 3], "text": ["a", HOSTILE, None], "when": [None, 1.5, float("nan")]}
    pl.DataFrame(rows).write_parquet(file)
    found = inspect(file, where="n > 1", sample=9)
    assert (found.rows, found.matched) == (3, 2)
    assert found.columns == {"n": "Int64", "text": "String", "when": "Float64"}
    assert sanitise(HOSTILE) in drawn(found)
    assert json.loads(to_json(found.facts()))["samples"][1]["row"]["when"] == "nan"
    with pytest.raises(RequestError, match="no text column id or prompt_id; columns: n, text"):
        inspect(file, id="abcdef")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_jsonl_with_broken_lines(tmp_path: Path, name: str) -> None:
    good = [json.dumps(line).encode() for line in LINES]
    body = b"\r\n".join([good[0], b"", b'{"id": ', good[1], b"[1]", b"\xff{}", good[2]])
    file = tmp_path / name
    file.write_bytes(gzip.compress(body) if name.endswith("gz") else body)
    found = inspect(file, sample=9)
    assert [shown["row"] for shown in found.samples or []] == LINES
    broken = inspect(file, rejected=True).rejected["broken"]
    assert broken["reasons"] == {"malformed_json": 2, "not_an_object": 1}
    assert [row["line"] for row in broken["examples"]["malformed_json"]] == [3, 6]
    assert inspect(file, where="n > 1").matched == 1
    assert inspect(file, where="mixed = '\"x\"'").matched == 1
    assert inspect(file, id="aaaaaa").matched == 2
    drawn(found)


def test_wide_text_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rows.jsonl"
    text = "深度思考" * 500
    file.write_text(json.dumps({"text": text}, ensure_ascii=False), encoding="utf-8")
    assert text in drawn(inspect(file, sample=1))

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    show_inspection(make_console(stream), inspect(file, sample=1))
    assert sum(character in "深度思考" for character in stream.getvalue()) == len(text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.jsonl", b'\x1b[31m\n{"a"', "holds no row that can be read: line 1"),
        ("array.json", b"[\n1,\n2\n]", "holds no row that can be read: line 1 is '1'"),
        ("cut.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 1000)[:-12], "cannot be read"),
        ("zero.parquet", b"", "cannot be read as parquet"),
    ],
    ids=["broken.jsonl", "array.json", "cut.jsonl.gz", "zero.parquet"],  # gzip holds the time
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=message):
        inspect(tmp_path / name)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    found = inspect(tmp_path / "empty.jsonl", sample=3)
    assert (found.rows, found.samples) == (0, [])
    drawn(found)


def test_a_field_of_json_text_as_a_column(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"meta": {"level": 3}, "x": "no json"}', encoding="utf-8")
    found = inspect(file, sample=1, columns="meta.level,x.level,meta")
    assert (found.samples or [])[0]["row"] == {
        "meta.level": 3, "x.level": None, "meta": {"level": 3},
    }  # fmt: skip


def test_broken_lines_by_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bad in (("a.jsonl", "{x\n[1]"), ("b.jsonl", "{y")):
        (tmp_path / name).write_text(f'{{"n": 1}}\n{bad}', encoding="utf-8")
    found = inspect(tmp_path, rejected=True, by="file").rejected["broken"]
    assert found["by"] == {
        "file": {"a.jsonl": {"malformed_json": 1, "not_an_object": 1},
                 "b.jsonl": {"malformed_json": 1}},
    }  # fmt: skip
    monkeypatch.setattr("potstill.views.rows.MAX_BROKEN_KEPT", 2)
    few = inspect(tmp_path, rejected=True, by="file")
    assert (few.rejected["broken"]["rows"], few.rejected["broken"]["of_first"]) == (3, 2)
    assert "of the first 2 rows" in drawn(few)
