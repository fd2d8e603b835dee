"""Bad inputs of every format: rows that are set aside, files that are refused, nothing lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import RequestError
from potstill.stages.reading.blocks import without_nulls
from potstill.stages.reading.packed import unpacked
from potstill.stages.reading.pieces import lines
from potstill.stages.reading.readers import read_blocks
from potstill.stages.reading.rows import Quarantined, Row
from potstill.stages.reading.sources import LocalSource
from potstill.stages.reading.understanding import rows_in

Found = list[tuple[int, Any]]


def found(path: Path, **which: str) -> Found:
    """(number, values) of good rows and (number, reason) of bad ones, in order."""
    return [
        (row.number, without_nulls(row.values) if isinstance(row, Row) else row.reason)
        for row in read_rows(path, **which)
    ]


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


PACKS = {".gz": gzip.compress, ".zst": zstd}


def read_rows(path: Path, **which: str) -> list[Row | Quarantined]:
    return [row for block in read_blocks(LocalSource(path, **which)) for row in rows_in(block)]


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


A, B = {"prompt": "a"}, {"prompt": "b"}

LINES = {
    "plain": (b'{"prompt": "a"}\n{"prompt": "b"}\n', [(1, A), (2, B)]),
    "no final newline": (b'{"prompt": "a"}\n{"prompt": "b"}', [(1, A), (2, B)]),
    "byte order mark": (b'\xef\xbb\xbf{"prompt": "a"}\n{"prompt": "b"}\n', [(1, A), (2, B)]),
    "CRLF": (b'{"prompt": "a"}\r\n{"prompt": "b"}\r\n', [(1, A), (2, B)]),
    "blank lines keep their numbers": (
        b'\n{"prompt": "a"}\n  \n\t\r\n{"prompt": "b"}\n\n',
        [(2, A), (5, B)],
    ),
    "a broken line": (
        b'{"prompt": "a"}\n{"prompt": "b\n{"prompt": "b"}\n',
        [(1, A), (2, "malformed_json"), (3, B)],
    ),
    "a line of latin-1": (b'{"prompt": "\xe9"}\n{"prompt": "b"}\n', [(1, "invalid_utf8"), (2, B)]),
    "a list": (b'[1]\n{"prompt": "b"}\n', [(1, "not_an_object"), (2, B)]),
    "U+2028 is no end of a line": (
        '{"prompt": "x\u2028y"}\n{"prompt": "b"}\n'.encode(),
        [(1, {"prompt": "x\u2028y"}), (2, B)],
    ),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("data", "expected"), LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.jsonl.zst", "gzip.jsonl"])
def test_jsonl(tmp_path: Path, data: bytes, expected: Found, name: str) -> None:
    """What a file is packed with is told by its first bytes: the last one is gzip."""
    pack = gzip.compress if name == "gzip.jsonl" else PACKS.get(Path(name).suffix, bytes)
    assert found(write(tmp_path / name, pack(data))) == expected


def test_packed_files_of_several_parts_are_read_to_the_end(tmp_path: Path) -> None:
    for name, pack in (("a.jsonl.gz", gzip.compress), ("b.jsonl.zst", zstd)):
        data = pack(b'{"prompt": "a"}\n') + pack(b'{"prompt": "b"}\n')
        assert found(write(tmp_path / name, data)) == [(1, A), (2, B)]


def test_a_row_of_2_mb_is_a_row(tmp_path: Path) -> None:
    text = "x" * 2_000_000
    assert found(write(tmp_path / "r.jsonl", json.dumps({"prompt": text}))) == [
        (1, {"prompt": text})
    ]


def test_columns_of_several_types_are_values_not_a_schema(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", '{"answer": 1}\n{"answer": "one"}\n{"answer": [1]}\n')
    assert [values for _, values in found(path)] == [
        {"answer": 1},
        {"answer": "one"},
        {"answer": [1]},
    ]


def test_what_is_set_aside_is_kept_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", b'{"prompt": "caf\xe9 \\u00e9\n')
    (row,) = read_rows(path)
    assert row == Quarantined(1, "invalid_utf8", '{"prompt": "caf\\xe9 \\u00e9')


ARRAYS = {
    "plain": ('[{"prompt": "a"}, {"prompt": "b"}]', [(1, A), (2, B)]),
    "indented, with a byte order mark": (
        '\ufeff[\n  {\n    "prompt": "a"\n  },\n  {"prompt": "b"}\n]\n',
        [(1, A), (2, B)],
    ),
    "brackets and quotes in strings": (
        r'[{"prompt": "]},{\"["}, {"prompt": "\\"}]',
        [(1, {"prompt": ']},{"['}), (2, {"prompt": "\\"})],
    ),
    "lists in elements": ('[{"a": [1, [2], {"b": 3}]}]', [(1, {"a": [1, [2], {"b": 3}]})]),
    "a bad element": (
        '[{"prompt": "a"}, {"prompt": oops}, {"prompt": "b"}]',
        [(1, A), (2, "malformed_json"), (3, B)],
    ),
    "not objects": ('[1, {"prompt": "b"}]', [(1, "not_an_object"), (2, B)]),
    "a missing quote joins two elements": (
        '[{"prompt: "a"}, {"prompt": "b"}]',
        [(1, "malformed_json")],
    ),
    "a comma too many": ('[{"prompt": "a"},]', [(1, A), (2, "malformed_json")]),
    "a key twice": ('[{"a": 1, "a": 2}, {"prompt": "b"}]', [(1, "duplicate_key"), (2, B)]),
    "too deep": ("[" + "[" * 9999 + "]" * 9999 + ',{"prompt": "b"}]', [(1, "too_deep"), (2, B)]),
    "empty": ("[ ]", []),
}


@pytest.mark.parametrize(("data", "expected"), ARRAYS.values(), ids=ARRAYS.keys())
def test_json_array(tmp_path: Path, data: str, expected: Found) -> None:
    assert found(write(tmp_path / "rows.json", data)) == expected


def test_a_bad_byte_in_an_array_costs_one_element(tmp_path: Path) -> None:
    data = b'[{"prompt": "\xff"}, {"prompt": "b"}]'
    assert found(write(tmp_path / "rows.json", data)) == [(1, "invalid_utf8"), (2, B)]


def test_a_json_file_of_lines_is_read_as_lines(tmp_path: Path) -> None:
    assert found(write(tmp_path / "rows.json", '{"prompt": "a"}\n{"prompt": "b"}')) == [
        (1, A),
        (2, B),
    ]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5), st.text(max_size=8) | st.lists(st.text(max_size=4)), max_size=3
        ),
        max_size=5,
    ),
    st.sampled_from([None, 2]),
)
def test_any_array_gives_its_elements(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("array") / "rows.json"
    write(path, json.dumps(rows, indent=indent))
    assert [values for _, values in found(path)] == rows


REFUSED = {
    "array cut": ("rows.json", b'[{"prompt": "a"}, {"prom', "never closes .1 whole elements"),
    "array with a missing bracket": ("rows.json", b'[{"prompt": "a"}}', "never closes"),
    "text behind an array": ("rows.json", b'[{"prompt": "a"}] {"a": 1}', "after the end"),
    "gzip cut": ("rows.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 99)[:-9], "not a whole gzip file"),
    "gzip damaged": ("rows.jsonl.gz", b"\x1f\x8bnonsense", "not a whole gzip file"),
    "zstd cut": ("rows.jsonl.zst", zstd(b'{"a": 1}\n' * 99)[:-9], "not a whole zstd file"),
    "zip": ("rows.jsonl", b"PK\x03\x04rest", "is a zip archive"),
    "tar": ("rows.jsonl", b"a.jsonl".ljust(257, b"\0") + b"ustar", "is a tar archive"),
    "tar in gzip": (
        "rows.gz",
        gzip.compress(b"a.jsonl".ljust(257, b"\0") + b"ustar"),
        "is a tar archive",
    ),
    "parquet in gzip": ("rows.gz", gzip.compress(b"PAR1"), "unpack it first"),
    "pickle by another name": ("rows.jsonl", b"\x80\x04\x95", "is a pickle"),
    "numpy by another name": ("rows.json", b"\x93NUMPY\x01", "is a numpy array"),
    "Arrow cut": ("rows.arrow", b"ARROW1\0\0 and no end", "cannot be read as Arrow"),
    "parquet of no bytes": ("rows.parquet", b"", "cannot be read as parquet"),
    "JSONL named parquet": ("rows.parquet", b'{"prompt": "a"}\n', "cannot be read as parquet"),
    "parquet named otherwise, cut": ("rows.data", b"PAR1 and no end", "cannot be read as parquet"),
    "CSV by another name": ("rows", b"question,answer\n1+1,2\n", "CSV is known by its name"),
    "a script": ("rows.py", b"print()", "runs no code of a dataset"),
    **{
        name: (f"rows{name}", b"", "is not read as data")
        for name in (".pkl", ".pt", ".bin", ".npy", ".tar", ".zip")
    },
}


@pytest.mark.parametrize(("name", "data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_files_are_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = write(tmp_path / name, data)
    with pytest.raises(RequestError, match=message) as caught:
        found(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_caps_hold(tmp_path: Path) -> None:
    line = json.dumps({"prompt": "x" * 100}).encode()
    long_row = write(tmp_path / "long.jsonl", line)
    with (
        unpacked(long_row) as file,
        pytest.raises(RequestError, match=r"long.jsonl:1: this line is larger than 50 bytes"),
    ):
        list(lines(file, max_row=50))
    bomb = write(tmp_path / "bomb.jsonl.gz", gzip.compress((line + b"\n") * 10_000))
    with (
        unpacked(bomb, max_unpacked=10_000) as file,
        pytest.raises(RequestError, match="what it unpacks to is larger than 10000 bytes"),
    ):
        list(lines(file))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "gone.jsonl"
    with pytest.raises(RequestError, match=r"gone.jsonl does not exist"):
        found(missing)


def test_parquet(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "answer": 1.5}, {"prompt": "中", "answer": None}]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert found(path) == [(1, rows[0]), (2, {"prompt": "中"})]


def test_parquet_cut_in_half(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"prompt": ["a" * 1000, "b" * 1000]}), whole)
    half = write(tmp_path / "half.parquet", whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(RequestError, match=r"half.parquet cannot be read as parquet"):
        found(half)


def test_parquet_with_a_bit_flipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"prompt": [f"what is {n}?" for n in range(500)]})
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[data.index(b"what is 250")] ^= 1
    write(path, bytes(data))
    with pytest.raises(RequestError, match="CRC"):
        found(path)


def test_a_parquet_value_without_a_python_form_costs_one_row(tmp_path: Path) -> None:
    texts = pa.array([b"good", b"caf\xe9", b"also"], pa.binary())
    bad_text = pa.StringArray.from_buffers(3, texts.buffers()[1], texts.buffers()[2])
    year_33658 = pa.array([0, 0, 10**15], pa.timestamp("ms"))
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"prompt": bad_text, "when": year_33658}), path)
    rows = list(read_rows(path))
    assert [row.reason if isinstance(row, Quarantined) else "good" for row in rows] == [
        "good",
        "invalid_utf8",
        "unreadable_value",
    ]
    assert "prompt: caf\\xe9" in rows[1].text


def test_parquet_with_a_column_twice(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["q", "q"]), path)
    with pytest.raises(RequestError, match=r"several columns of the same name: \['q'\]"):
        found(path)


def test_a_folder_of_shards_is_read_in_order(tmp_path: Path) -> None:
    for index, name in enumerate("ab"):
        pq.write_table(pa.table({"prompt": [name]}), tmp_path / f"part-0000{index}.parquet")
    assert found(tmp_path) == [(1, A), (1, B)]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder as a hub snapshot looks: two splits under data/."""
    folder = tmp_path / "snapshot"
    (folder / "data").mkdir(parents=True)
    pq.write_table(pa.table({"prompt": ["a", "b"]}), folder / "data/train-00000-of-00001.parquet")
    pq.write_table(pa.table({"prompt": ["c"]}), folder / "data/test-00000-of-00001.parquet")
    return folder


def test_a_dataset_folder(dataset: Path) -> None:
    assert found(dataset, split="train") == [(1, A), (2, B)]
    with pytest.raises(
        RequestError, match="several splits, choose one by 'split'; it has: test, tr"
    ):
        found(dataset)
    with pytest.raises(RequestError, match="there is no split 'dev'; Known: test, train"):
        found(dataset, split="dev")
    (dataset / "data/test-00000-of-00001.parquet").unlink()
    assert found(dataset) == [(1, A), (2, B)]


def test_dataset_subsets_come_from_the_card(dataset: Path) -> None:
    card = "---\nconfigs:\n"
    for name, split in (("main", "train"), ("other", "test")):
        card += f"- config_name: {name}\n  data_files:\n  - split: train\n"
        card += f"    path: data/{split}-*.parquet\n"
    write(dataset / "README.md", card + "---\n")
    assert found(dataset, subset="other") == [(1, {"prompt": "c"})]
    with pytest.raises(RequestError, match="there is no subset 'missing'"):
        found(dataset, subset="missing")
    with pytest.raises(RequestError, match="several subsets, choose one by 'subset'"):
        found(dataset)


def test_a_folder_that_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=r"empty holds no data files \(no files\)"):
        found(tmp_path / "empty")


def test_split_belongs_to_datasets(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", '{"prompt": "a"}')
    with pytest.raises(RequestError, match="no splits or subsets"):
        found(path, split="train")
