"""Sources of every form: Arrow files, folders of shards, cards, files that do not agree."""

from __future__ import annotations

import datetime
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from potstill.pipeline.errors import RequestError
from potstill.stages.reading import arrow_files, packed
from potstill.stages.reading.blocks import Columns, rows_of, without_nulls
from potstill.stages.reading.files import find_files
from potstill.stages.reading.readers import Meter, limited, read_blocks
from potstill.stages.reading.rows import Row
from potstill.stages.reading.sources import LocalSource
from potstill.stages.reading.understanding import rows_in

ROWS = [{"q": "a", "n": 1}, {"q": "中", "n": None}, {"q": "c", "n": 3}]
WHOLE = [without_nulls(row) for row in ROWS]
TABLE = pa.Table.from_pylist(ROWS)


def values(path: Path, **which: str) -> list[Any]:
    rows = (row for block in read_blocks(LocalSource(path, **which)) for row in rows_in(block))
    return [without_nulls(row.values) if isinstance(row, Row) else row.reason for row in rows]


def _ipc(path: Path, stream: bool) -> None:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=2)


WRITERS = {
    "parquet": lambda path: pq.write_table(TABLE, path),
    "parquet in row groups": lambda path: pq.write_table(TABLE, path, row_group_size=1),
    "parquet of dictionaries": lambda path: pq.write_table(
        TABLE.set_column(0, "q", TABLE["q"].dictionary_encode()), path
    ),
    "parquet of other widths": lambda path: pq.write_table(
        TABLE.cast(pa.schema([("q", pa.large_string()), ("n", pa.int8())])), path
    ),
    "Arrow file": lambda path: _ipc(path, stream=False),
    "Arrow stream": lambda path: _ipc(path, stream=True),
    "Feather": lambda path: pyarrow.feather.write_feather(TABLE, str(path)),
    "JSONL": lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in ROWS)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
@pytest.mark.parametrize("name", ["rows", "rows.json"])
def test_a_format_is_told_by_content_not_name(tmp_path: Path, write: Any, name: str) -> None:
    write(tmp_path / name)
    assert values(tmp_path / name) == WHOLE
    assert all(isinstance(block, Columns) for block in read_blocks(LocalSource(tmp_path / name)))


def test_types_that_json_has_not_go_row_by_row(tmp_path: Path) -> None:
    day = datetime.date(2026, 1, 2)
    table = pa.table({"q": ["a"], "day": [day], "nan": [float("nan")]})
    table = table.append_column("big", pa.array([2**63], pa.uint64()))
    pq.write_table(table, tmp_path / "rows.parquet")
    (row,) = values(tmp_path / "rows.parquet")
    assert (row["day"], row["big"], row["nan"] != row["nan"]) == (day, 2**63, True)


def test_blocks_of_parquet_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "READ_BYTES", 10_000)
    table = pa.table({"q": [os.urandom(500).hex() for _ in range(200)]})
    pq.write_table(table, tmp_path / "rows.parquet")
    blocks = list(read_blocks(LocalSource(tmp_path / "rows.parquet")))
    assert all(isinstance(block, Columns) for block in blocks)
    sizes = [rows_of(block) for block in blocks]
    assert sum(sizes) == 200
    assert max(sizes) <= 20


def test_hostile_offsets_do_not_end_the_process(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 2**30, 4)))
    text = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcd"))
    batch = pa.RecordBatch.from_arrays([text], ["q"])
    with pa.ipc.new_stream(str(tmp_path / "rows.arrow"), batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(RequestError, match=r"rows.arrow cannot be read as Arrow"):
        values(tmp_path / "rows.arrow")


def test_a_folder_of_mixed_shards_in_natural_order(tmp_path: Path) -> None:
    (tmp_path / "rows-10.jsonl").write_text('{"q": "10"}')
    (tmp_path / "rows-2.jsonl.gz").write_bytes(gzip.compress(b'{"q": "2"}'))
    (tmp_path / "rows-1.jsonl.zst").write_bytes(pa.compress(b'{"q": "1"}', "zstd", asbytes=True))
    pq.write_table(pa.table({"q": ["3"]}), tmp_path / "rows-3.parquet")
    (tmp_path / "README.md").write_text("# Rows\n")
    (tmp_path / "LICENSE").write_text("MIT")
    (tmp_path / ".hidden.jsonl").write_text('{"q": "hidden"}')
    assert values(tmp_path) == [{"q": name} for name in ("1", "2", "3", "10")]
    kinds = [(file.format, file.compression) for file in find_files(tmp_path)]
    assert kinds == [("jsonl", "zstd"), ("jsonl", "gzip"), ("parquet", None), ("jsonl", None)]


@pytest.mark.parametrize("name", ["load.py", "index.pkl", "model.bin", "vectors.npy", "rows.tar"])
def test_a_folder_with_what_is_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "1"}')
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(RequestError, match=f"{name} is not read as data"):
        values(tmp_path)


def test_what_datasets_saves_to_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    data = datasets.Dataset.from_list(ROWS * 4)
    data.save_to_disk(tmp_path / "one", num_shards=12)
    assert values(tmp_path / "one") == WHOLE * 4
    both = datasets.DatasetDict({"train": data, "test": data.select([0])})
    both.save_to_disk(tmp_path / "both")
    assert values(tmp_path / "both", split="test") == WHOLE[:1]
    with pytest.raises(RequestError, match="several splits, choose one by 'split'"):
        values(tmp_path / "both")


def test_a_saved_dataset_that_points_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "../secret.arrow"}]}')
    with pytest.raises(RequestError, match=r"names '\.\./secret.arrow', which is not in its"):
        values(tmp_path)
    (tmp_path / "state.json").write_text("[]")
    with pytest.raises(RequestError, match=r"is not what datasets\.save_to_disk writes"):
        values(tmp_path)


CARDS: dict[str, tuple[str, dict[str, str], str]] = {
    "a list of splits": (
        "- config_name: m\n  data_files:\n  - split: dev\n    path: [d/a*.jsonl, d/b.jsonl]\n",
        {"split": "dev"},
        "ab",
    ),
    "one pattern": ("- config_name: m\n  data_files: '**/c.jsonl'\n", {}, "c"),
    "a list of patterns": ("- config_name: m\n  data_files: [d/a.jsonl, d/b.jsonl]\n", {}, "ab"),
    "a mapping": (
        "- config_name: m\n  data_files: {x: d/a.jsonl, y: d/b.jsonl}\n",
        {"split": "y"},
        "b",
    ),
    "a folder": ("- config_name: m\n  data_dir: d/e\n", {}, "c"),
    "the default of several": (
        "- config_name: m\n  data_files: d/a.jsonl\n"
        "- config_name: n\n  default: true\n  data_files: d/b.jsonl\n",
        {},
        "b",
    ),
    "a chosen one of several": (
        "- config_name: m\n  data_files: d/a.jsonl\n- config_name: n\n  data_files: d/b.jsonl\n",
        {"subset": "m"},
        "a",
    ),
    "a star stays in its folder": ("- config_name: m\n  data_files: d/*.jsonl\n", {}, "ab"),
}


def _folder_with_card(folder: Path, configs: str) -> Path:
    for name in ("d/a", "d/b", "d/e/c"):
        (folder / f"{name}.jsonl").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jsonl").write_text(json.dumps({"q": name[-1]}))
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n# Rows\n")
    return folder


@pytest.mark.parametrize(("configs", "which", "expected"), CARDS.values(), ids=CARDS.keys())
def test_a_card_says_which_files(
    tmp_path: Path, configs: str, which: dict[str, str], expected: str
) -> None:
    folder = _folder_with_card(tmp_path, configs)
    assert [row["q"] for row in values(folder, **which)] == list(expected)


@pytest.mark.parametrize(
    ("configs", "message"),
    [
        ("- config_name: m\n  data_files: none/*.jsonl\n", "no data file fits what its README.md"),
        ("- config_name: m\n  data_files: [{path: x}]\n", "its configs cannot be understood"),
        ("- config_name: m\n  data_files: ../*.jsonl\n", "no data file fits what its README.md"),
    ],
)
def test_a_card_that_does_not_fit(tmp_path: Path, configs: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        values(_folder_with_card(tmp_path, configs))


def test_files_of_other_types_do_not_belong_together(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "x", "n": 1}')
    (tmp_path / "b.jsonl").write_text('{"q": ["y"], "n": 1}')
    with pytest.raises(RequestError) as caught:
        values(tmp_path)
    assert "b.jsonl does not belong with" in str(caught.value)
    assert "column 'q' holds text there and list here" in str(caught.value)
    assert "a.jsonl: n (number), q (text)" in str(caught.value)
    assert "b.jsonl: n (number), q (list)" in str(caught.value)


def test_declared_columns_may_be_missing_but_not_others_instead(tmp_path: Path) -> None:
    pq.write_table(pa.table({"q": ["x"], "n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"q": ["y"]}), tmp_path / "b.parquet")
    assert values(tmp_path) == [{"q": "x", "n": 1}, {"q": "y"}]
    (tmp_path / "c.csv").write_text("q,a\nz,2\n")
    with pytest.raises(RequestError, match="it lacks n and has a instead"):
        values(tmp_path)


def test_rows_of_json_have_keys_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "x", "n": 1}')
    (tmp_path / "b.jsonl").write_text('{"q": "y", "m": null}')
    assert values(tmp_path) == [{"q": "x", "n": 1}, {"q": "y"}]


@pytest.mark.parametrize("read_bytes", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.jsonl.gz"])
def test_how_a_file_is_cut_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, read_bytes: int
) -> None:
    rows = [{"q": f'"{n}\u2028,]{{', "a": "x"} for n in range(30)]
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    if name == "a.csv":
        quoted = [
            ",".join('"' + cell.replace('"', '""') + '"' for cell in r.values()) for r in rows
        ]
        text = "\n".join(["q,a", *quoted])
    else:
        text = f"[{', '.join(texts)}]" if name == "a.json" else "\n\n".join(texts)
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    read = packed.Unpacked.read
    monkeypatch.setattr(packed.Unpacked, "read", lambda self, size=read_bytes: read(self, size))
    assert values(tmp_path / name) == rows


@pytest.mark.parametrize(
    ("skip", "stop"), [(0, None), (0, 0), (3, 9), (5, 5), (4, None), (99, None)]
)
def test_limited(tmp_path: Path, skip: int, stop: int | None) -> None:
    lines = [f'{{"q": {n}}}' if n % 3 else "bad" for n in range(10)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    blocks = limited(read_blocks(LocalSource(tmp_path / "a.jsonl")), skip, stop)
    assert [row.number for block in blocks for row in rows_in(block)] == list(range(1, 11))[
        skip:stop
    ]


def test_the_text_of_a_row_is_known_behind_a_cut(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(f'{{"q": {n}}}\n' for n in range(9)))
    (block,) = limited(read_blocks(LocalSource(tmp_path / "a.jsonl")), 4, 6)
    assert isinstance(block, Columns)
    assert [block.raw(at) for at in range(2)] == ['{"q": 4}', '{"q": 5}']


def test_how_far_it_has_come(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.jsonl").write_text('{"q": 1}\n' * 5)
    meter = Meter()
    shares = [meter.share for _ in read_blocks(LocalSource(tmp_path), meter)]
    assert shares == [0.5, 1.0]
    assert meter.total == 90
