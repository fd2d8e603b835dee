"""Fast and strict reading of JSON are one: the same values, the same rows set aside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from potstill.stages.reading.blocks import Columns, without_nulls
from potstill.stages.reading.json_columns import JsonBlocks, strict_row
from potstill.stages.reading.rows import Quarantined, Row
from potstill.stages.reading.understanding import rows_in


def told(row: Row | Quarantined) -> tuple[int, str]:
    """Values as JSON spells them, so that 27 is not 27.0 and 0.0 not -0.0."""
    if isinstance(row, Quarantined):
        return row.number, f"{row.reason}: {row.text}"
    return row.number, json.dumps(without_nulls(row.values), sort_keys=True)


def strictly(texts: list[bytes]) -> list[tuple[int, str]]:
    return [told(strict_row(number, text)) for number, text in enumerate(texts, 1)]


def quickly(texts: list[bytes]) -> list[tuple[int, str]]:
    blocks = JsonBlocks("f").read((list(range(1, len(texts) + 1)), texts))
    return [told(row) for block in blocks for row in rows_in(block)]


def is_fast(*texts: bytes) -> bool:
    blocks = list(JsonBlocks("f").read((list(range(len(texts))), list(texts))))
    return all(isinstance(block, Columns) for block in blocks)


ODD = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": 1.5, "b": -Infinity}',
    "a whole number beside a fraction": b'{"a": 27}\n{"a": 0.5}',
    "the same, one level down": b'{"m": {"a": 27}}\n{"m": {"a": 0.5}}',
    "fractions in lists": b'{"a": [1, 0.5]}',
    "a number over 64 bits": b'{"a": 123456789012345678901}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "two objects on a line": b'{"a": 1}{"a": 2}',
    "one object on two lines, two on another": b'{"a": 1}{"a": 2}\n{"a":\n3}',
    "a list over two lines": b'{"a": [{"b": 1}\n{"b": 2}]}',
    "a key twice": b'{"a": 1, "a": 2}',
    "a surrogate": b'{"a": "\\ud800"}',
    "latin-1": b'{"a": "\xe9"}',
    "latin-1 in a key": b'{"\xe9": 1}',
    "several types": b'{"a": 1}\n{"a": "x"}',
    "nothing in an object": b'{"a": {}}',
    "a column that has our own name": b'{"__line__": 1}',
    "an empty row": b"{}",
    "100,000 levels": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "70 levels": b'{"a":' + b"[" * 70 + b"]" * 70 + b"}",
    "a key that is escaped": b'{"\\u0061": 27, "a2": 0.5}\n{"a": 0.5}',
    "a fraction in a text that looks like a key": b'{"a": 0.5, "t": "\\"a\\": 0.5"}\n{"a": 27}',
    "no row": b"[]",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("beside", [0, 1, 300])
def test_what_columns_would_change_is_read_row_by_row(data: bytes, beside: int) -> None:
    good = [b'{"a": 0.5, "t": "x"}'] * (beside // 2)
    texts = [*good, *data.split(b"\n"), *good]
    assert quickly(texts) == strictly(texts)


PLAIN = {
    "texts": b'{"a": "x", "b": "\\u0000\\u00e9\\ud83d\\ude00"}',
    "dates stay texts": b'{"a": "2024-01-01", "b": "2024-01-01T00:00:00Z"}',
    "fractions": b'{"a": 27.0, "b": -0.0, "c": 1e5, "d": 0.1}\n{"a": 0.5}',
    "fractions of objects in lists": b'{"l": [{"a": 0.5}, {"a": null}, {}]}\n{"l": []}',
    "whole numbers": b'{"a": 9223372036854775807, "b": -1}',
    "messages": b'{"messages": [{"role": "user", "content": "x"}]}\n{"messages": null}',
    "keys that some rows lack": b'{"a": 1}\n{"b": "x"}\n{"c": [true]}',
    "a key that is escaped": b'{"\\u0061": 0.5}',
    "a key beyond ASCII": '{"分": 0.5}'.encode(),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN.keys())
def test_plain_rows_are_read_as_columns(data: bytes) -> None:
    texts = data.split(b"\n")
    assert quickly(texts) == strictly(texts)
    escaped = b"\\u0061" in data  # how it is spelled cannot be compared with its key
    assert is_fast(*texts) != escaped


def test_types_that_come_later_are_learned() -> None:
    blocks = JsonBlocks("f")
    first = [b'{"a": 1}'] * 200
    later = [b'{"a": 1, "b": "x"}'] * 200
    for texts in (first, later, later):
        found = list(blocks.read((list(range(len(texts))), texts)))
        assert all(isinstance(block, Columns) for block in found)
    assert len(found) == 1


def test_one_bad_line_costs_few_slow_rows() -> None:
    texts = [b'{"a": "x"}'] * 4000
    texts[1234] = b'{"a": oops}'
    blocks = list(JsonBlocks("f").read((list(range(4000)), texts)))
    slow = [block for block in blocks if not isinstance(block, Columns)]
    assert sum(len(block.rows) for block in slow) <= 64


def test_keys_that_are_values_do_not_become_columns() -> None:
    texts = [f'{{"m": {{"key{n}": 1}}}}'.encode() for n in range(5000)]
    assert quickly(texts) == strictly(texts)


_key = st.sampled_from(["a", "b", "c", "é", ""])
_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0.5, 27.0, -0.0, 1e300, 2**63])
    | st.text(max_size=3)
    | st.sampled_from(["2024-01-01", '"a": 1.5', "\u2028"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_key, inner, max_size=2),
    max_leaves=4,
)
_object = st.dictionaries(_key, _value, max_size=3)
_line = st.one_of(
    st.builds(lambda row, ascii: json.dumps(row, ensure_ascii=ascii), _object, st.booleans()),
    st.builds(lambda row: json.dumps(row, indent=None, separators=(",", ":")), _object),
    st.sampled_from(['{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', "{", "}", "[1]", "1"]),
    st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), min_size=1, max_size=6),
).map(lambda text: text.encode().strip(b" \t\r\n"))


@settings(deadline=None, max_examples=300)
@given(st.lists(_line.filter(bool), max_size=8), st.integers(0, 2))
@example([b'{"a": {"b": null}}', b'{"a": {"b": 1}}', b'{"a": null}'], 0)
def test_fast_and_strict_reading_are_one(texts: list[bytes], copies: int) -> None:
    many = [*texts, *[b'{"a": "x", "b": 0.5}'] * (40 * copies), *texts]
    assert quickly(many) == strictly(many)


_nulls = st.none()
_nested = st.fixed_dictionaries(
    {},
    optional={
        "n": st.lists(_nulls | st.integers(0, 2), max_size=3),
        "t": _nulls | st.lists(_nulls | st.fixed_dictionaries({"x": _nulls | st.text(max_size=1)})),
        "l": st.lists(_nulls | st.lists(_nulls | st.booleans(), max_size=2), max_size=2),
    },
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_nested, min_size=1, max_size=8), st.integers(1, 30))
@example([{"n": [None, None]}, {"n": [None, 1]}], 1)
@example([{"n": [None, None]}, {"n": [None]}], 1)
def test_nulls_in_lists_stay_where_they_are(rows: list[dict[str, Any]], copies: int) -> None:
    """The fast parser misplaces those that come before the type is known, and loses some."""
    texts = [json.dumps(row).encode() for row in rows] * copies
    assert quickly(texts) == strictly(texts)


_same = st.builds(
    lambda a, b, c: {"a": a, "b": b, "c": c},
    st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    st.lists(st.fixed_dictionaries({"role": st.text(max_size=2), "n": st.integers(-9, 9)})),
    st.text(max_size=5) | st.none(),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(_same, min_size=1, max_size=6), st.booleans())
def test_rows_of_one_shape_are_read_as_columns(rows: list[dict[str, Any]], ascii: bool) -> None:
    texts = [json.dumps(row, ensure_ascii=ascii).encode() for row in rows]
    assert quickly(texts) == strictly(texts)
    assert is_fast(*texts)
