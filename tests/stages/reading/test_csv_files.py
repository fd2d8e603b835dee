"""CSV and TSV: text as it stands, a bad record costs itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import RequestError
from potstill.stages.reading.blocks import without_nulls
from potstill.stages.reading.csv_files import separator_of
from potstill.stages.reading.readers import read_blocks
from potstill.stages.reading.rows import Row
from potstill.stages.reading.sources import LocalSource
from potstill.stages.reading.understanding import rows_in

Found = list[tuple[int, Any]]


def found(path: Path) -> Found:
    rows = (row for block in read_blocks(LocalSource(path)) for row in rows_in(block))
    return [
        (row.number, without_nulls(row.values) if isinstance(row, Row) else (row.reason, row.text))
        for row in rows
    ]


CASES: dict[str, tuple[str, bytes, Found]] = {
    "plain": ("a.csv", b"q,a\n1+1,2\n", [(2, {"q": "1+1", "a": "2"})]),
    "nothing is a number": ("a.csv", b"q,a\n007,1e3\n", [(2, {"q": "007", "a": "1e3"})]),
    "tabs": ("a.tsv", b"q\ta\n1,1\t2\n", [(2, {"q": "1,1", "a": "2"})]),
    "semicolons": ("a.csv", b"q;a\n1,5;2\n", [(2, {"q": "1,5", "a": "2"})]),
    "quoted newlines": (
        "a.csv",
        b'q,a\n"x\ny ""z""",2\nlast,3\n',
        [(2, {"q": 'x\ny "z"', "a": "2"}), (4, {"q": "last", "a": "3"})],
    ),
    "CRLF, a mark, blank lines": (
        "a.csv",
        b"\xef\xbb\xbfq,a\r\n\r\n1,2\r\n",
        [(3, {"q": "1", "a": "2"})],
    ),
    "U+2028 in a value": (
        "a.csv",
        "q,a\nx\u2028y,2\n".encode(),
        [(2, {"q": "x\u2028y", "a": "2"})],
    ),
    "an empty value is none": ("a.csv", b"q,a\nx,\n", [(2, {"q": "x"})]),
    "an index without a name": ("a.csv", b",q\n0,x\n", [(2, {"": "0", "q": "x"})]),
    "ragged": (
        "a.csv",
        b"q,a\nx\ny,1,2\nz,3\n",
        [
            (2, ("too_few_values", "x")),
            (3, ("too_many_values", "y,1,2")),
            (4, {"q": "z", "a": "3"}),
        ],
    ),
    "a stray quote": (
        "a.csv",
        b'q,a\n"x"y,1\nz,3\n',
        [(2, ("malformed_csv", '"x"y,1')), (3, {"q": "z", "a": "3"})],
    ),
    "a quote that never closes": (
        "a.csv",
        b'q,a\nz,3\n"x,1\ny,2\n',
        [(2, {"q": "z", "a": "3"}), (3, ("malformed_csv", '"x,1\ny,2'))],
    ),
    "latin-1": (
        "a.csv",
        b"q,a\ncaf\xe9,1\nz,3\n",
        [(2, ("invalid_utf8", "caf\\xe9,1")), (3, {"q": "z", "a": "3"})],
    ),
    "a formula is text": ("a.csv", b"q,a\n=1+1,2\n", [(2, {"q": "=1+1", "a": "2"})]),
    "a header alone": ("a.csv", b"q,a\n", []),
    "nothing": ("a.csv", b"", []),
}


@pytest.mark.parametrize(("name", "data", "expected"), CASES.values(), ids=CASES.keys())
def test_records(tmp_path: Path, name: str, data: bytes, expected: Found) -> None:
    (tmp_path / name).write_bytes(data)
    assert found(tmp_path / name) == expected


def test_a_long_value_is_a_value(tmp_path: Path) -> None:
    """The parser's own limit is 128 kB."""
    (tmp_path / "a.csv").write_text(f"q\n{'x' * 300_000}\n")
    assert found(tmp_path / "a.csv") == [(2, {"q": "x" * 300_000})]


@pytest.mark.parametrize("header", ["q,q", '"q'])
def test_a_header_that_names_no_columns(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(RequestError, match=r"several columns of the same name|is no header"):
        found(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("header", "expected"),
    [("q,a", ","), ("q\ta", "\t"), ("q;a", ";"), ("q|a", "|"), ("q", ","), ('"a;b",q,r', ",")],
)
def test_the_separator_is_found_in_the_header(header: str, expected: str) -> None:
    assert separator_of(header) == expected


_cell = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(_cell, _cell), max_size=6))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_bytes("\n".join(["q,a", *quoted]).encode())
    assert [values for _, values in found(path)] == [{"q": q, "a": a} for q, a in rows]
