"""Text files of any kind as rows: whole or in part, broken lines counted, types that can hold all.

A long file is read in blocks; it must give what a short one gives, which is held whole.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import RequestError
from potstill.views import text_rows as module
from potstill.views.sources import open_source
from potstill.views.text_formats import text_items
from potstill.views.text_rows import text_rows

TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": "深\n度"}]
JSONL = b"".join(json.dumps(row).encode() + b"\n" for row in TWO)
ARRAY = json.dumps(TWO, ensure_ascii=False).encode()
CSV = 'a,b\n1,x\n2,"深\n度"\n'.encode()
TEXTS = [{"a": "1", "b": "x"}, {"a": "2", "b": "深\n度"}]


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


@pytest.mark.parametrize(
    ("name", "data", "rows"),
    [
        ("rows.jsonl", JSONL, TWO),
        ("rows.ndjson", b"\xef\xbb\xbf" + JSONL.replace(b"\n", b"\r\n\r\n"), TWO),
        ("no_name", JSONL, TWO),
        ("rows.jsonl.gz", gzip.compress(JSONL), TWO),
        ("rows.jsonl.gz", gzip.compress(JSONL[:30]) + gzip.compress(JSONL[30:]), TWO),
        ("rows.jsonl.zst", zstd(JSONL), TWO),
        ("named_wrongly.jsonl", gzip.compress(JSONL), TWO),
        ("rows.json", ARRAY, TWO),
        ("rows.json", b"\xef\xbb\xbf \n" + ARRAY, TWO),
        ("rows.json.zst", zstd(ARRAY), TWO),
        ("indented.json", json.dumps(TWO, indent=2).encode(), TWO),
        ("one.json", b'{\n "a": 1\n}\n', [{"a": 1}]),
        ("lines.json", JSONL, TWO),
        ("rows.csv", CSV, TEXTS),
        ("rows.csv.gz", gzip.compress(b"\xef\xbb\xbf" + CSV), TEXTS),
        ("rows.csv", CSV.replace(b",", b";"), TEXTS),
        ("rows.tsv", CSV.replace(b",", b"\t"), TEXTS),
        ("twice.csv", b"a,a\n1,2\n", [{"a": "1", "a_2": "2"}]),
        ("empty.csv", b"", []),
        ("empty.jsonl", b"\n\n", []),
        ("empty.json", b" []\n", []),
    ],
)
def test_formats(tmp_path: Path, name: str, data: bytes, rows: list[Any]) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    source = open_source(file, whole=True)
    assert source.kind == "text"
    assert source.rows.total == len(rows)
    assert source.rows.fetch(range(len(rows))) == rows


@pytest.mark.parametrize(
    ("name", "data", "line", "reason"),
    [
        ("x.jsonl", b'{"a": 1}\n{"a"\n{"a": 2}\n', 2, "malformed_json"),
        ("x.jsonl", b'{"a": 1}\n[1]\n{"a": 2}\n', 2, "not_an_object"),
        ("x.jsonl", b'{"a": 1}\n{}\n{"a": 2}\n', 2, "not_an_object"),
        ("x.jsonl", b'{"a": 1}\n{"a": "\xff"}\n{"a": 2}\n', 2, "malformed_json"),
        ("x.jsonl", b'{"a": 1}\n' + b"[" * 200_000 + b'\n{"a": 2}\n', 2, "malformed_json"),
        ("x.jsonl", b'{"a": 1}\n{"a": ' + b"9" * 5000 + b'}\n{"a": 2}\n', 2, "malformed_json"),
        ("x.json", b'[{"a": 1}, 5, {"a": 2}]', 2, "not_an_object"),
        ("x.json", b'[{"a": 1}, {"a": 2}, {"a"', 3, "malformed_json"),
        ("x.json", b'[{"a": 1}, {"a": 2}', 3, "malformed_json"),
        ("x.json", b'[{"a": 1}, {"a": 2}, {"a": "\xff"}]', 3, "malformed_json"),
        ("x.csv", b"a\n1\n2,3\n2\n", 3, "ragged"),
        ("x.csv", b"a\n1\n\xff\n2\n", 3, "not_utf8"),
    ],
)
def test_broken_lines(tmp_path: Path, name: str, data: bytes, line: int, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    items = list(text_items(file))
    assert [(item.line, item.reason) for item in items if item.row is None] == [(line, reason)]
    good = [item.row for item in items if item.row is not None]
    assert len(good) == 2


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False),
    st.text(max_size=4), st.lists(st.integers(), max_size=2), st.just("\ud800"),
)  # fmt: skip
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), CELLS, min_size=1), min_size=1, max_size=12
)


@settings(max_examples=60)
@given(ROWS)
def test_blocks_give_what_the_whole_gives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    held = text_rows([file], whole=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HEAD_ROWS", 1)
        patch.setattr(module, "BLOCK_ROWS", 2)
        streamed = text_rows([file], whole=True)
        head = text_rows([file], whole=False)
        assert streamed.total == held.total == len(rows)
        assert streamed.frame.collect().equals(held.frame.collect())
        assert streamed.matching(pl.col(streamed.frame.collect_schema().names()[0]).is_null()) == (
            held.matching(pl.col(held.frame.collect_schema().names()[0]).is_null())
        )
        assert streamed.fetch([len(rows) - 1]) == [rows[-1]]
        assert streamed.frame.head(3).collect().height == min(3, len(rows))
        assert head.total == (1 if len(rows) == 1 else None)
        assert head.fetch([0]) == rows[:1]


def test_a_compressed_file_that_is_cut(tmp_path: Path) -> None:
    for name, data in (("a.jsonl.gz", gzip.compress(JSONL * 99)), ("b.jsonl.zst", zstd(JSONL * 9))):
        (tmp_path / name).write_bytes(data[:-9])
        with pytest.raises(RequestError, match=f"{name} cannot be read"):
            text_rows([tmp_path / name], whole=True)


def test_a_folder_is_one_dataset_of_one_kind(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"part-{number}.jsonl").write_text(json.dumps({"n": number}), encoding="utf-8")
    (tmp_path / ".hidden.jsonl").write_text('{"n": 0}', encoding="utf-8")
    (tmp_path / "README.md").write_text("# words", encoding="utf-8")
    source = open_source(tmp_path, whole=False)
    assert source.rows.fetch(range(3)) == [{"n": 1}, {"n": 2}, {"n": 10}]
    assert [file.name for file in source.passed_over] == ["README.md"]
    (tmp_path / "deeper").mkdir()
    pl.DataFrame({"n": [7]}).write_parquet(tmp_path / "deeper" / "x.parquet")
    source = open_source(tmp_path, whole=False)
    assert (source.kind, source.rows.fetch([0])) == ("parquet", [{"n": 7}])
    assert len(source.passed_over) == 4


def test_parquet_files_of_other_columns_are_not_mixed(tmp_path: Path) -> None:
    pl.DataFrame({"n": [1], "m": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"n": ["1"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(RequestError, match=r"n \(Int64 and String\), m \(Int64 and missing\)"):
        open_source(tmp_path, whole=False)


@pytest.mark.parametrize("stream", [True, False])
def test_arrow(tmp_path: Path, stream: bool) -> None:
    table = pa.table({"n": [1, 2, 3], "s": [{"x": 1}, {"x": 2}, None]})
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(tmp_path / "rows.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    rows = open_source(tmp_path / "rows.arrow", whole=False).rows
    assert rows.total == 3
    assert rows.matching(pl.sql_expr("s.x = 2")) == [1]
    assert rows.fetch([2]) == [{"n": 3, "s": None}]
    assert rows.frame.select(pl.len()).collect().item() == 3
    data = (tmp_path / "rows.arrow").read_bytes()
    (tmp_path / "rows.arrow").write_bytes(data[: len(data) // 2])
    with pytest.raises(RequestError, match="cannot be read as Arrow"):
        open_source(tmp_path / "rows.arrow", whole=False)
