"""Every way in which a line of JSON can be bad has its reason, and no other way out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.stages.reading.rows import BadRow
from potstill.stages.reading.strict_json import MAX_DEPTH, parse_object

BAD = {
    "cut": (b'{"question": "2+2', "malformed_json"),
    "not JSON": (b"question,answer", "malformed_json"),
    "raw NUL in a string": (b'{"a": "\x00"}', "malformed_json"),
    "two objects": (b'{"a": 1}{"a": 2}', "malformed_json"),
    "single quotes": (b"{'a': 1}", "malformed_json"),
    "latin-1": ("{'a': 'é'}".encode("latin-1"), "invalid_utf8"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), "invalid_utf8"),
    "a key twice": (b'{"a": 1, "a": 2}', "duplicate_key"),
    "a key twice, inside": (b'{"b": [{"a": 1, "a": 1}]}', "duplicate_key"),
    "NaN": (b'{"a": NaN}', "nan_value"),
    "-Infinity": (b'{"a": -Infinity}', "nan_value"),
    "too large for a float": (b'{"a": 1e999}', "nan_value"),
    "5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "number_too_long"),
    "100,000 levels": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "one level too many": (b'{"a":' * MAX_DEPTH + b"[]" + b"}" * MAX_DEPTH, "too_deep"),
    "high surrogate alone": (b'{"a": "\\ud800"}', "lone_surrogate"),
    "low surrogate in a key": (b'{"\\uDC00": 1}', "lone_surrogate"),
    "a list": (b"[1, 2]", "not_an_object"),
    "a string": (b'"question"', "not_an_object"),
    "null": (b"null", "not_an_object"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD.keys())
def test_bad_rows_have_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        parse_object(data)
    assert caught.value.reason == reason


GOOD = {
    "escaped NUL": (rb'{"a": "\u0000"}', {"a": "\x00"}),
    "a surrogate pair": (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
    "the letters of an escape": (rb'{"a": "\\ud800"}', {"a": "\\ud800"}),
    "line separator": ('{"a": "x\u2028y"}'.encode(), {"a": "x\u2028y"}),
    "4,000 digits": (b'{"a": ' + b"9" * 4000 + b"}", {"a": int("9" * 4000)}),
    "as deep as it may be": (b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH, None),
    "empty": (b"{}", {}),
}


@pytest.mark.parametrize(("data", "value"), GOOD.values(), ids=GOOD.keys())
def test_good_rows_are_what_json_says(data: bytes, value: dict[str, object] | None) -> None:
    assert parse_object(data) == (json.loads(data) if value is None else value)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_bad_row(data: bytes) -> None:
    try:
        value = parse_object(data)
    except BadRow:
        return
    assert json.loads(data) == value


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), _json, max_size=4), st.booleans())
def test_what_json_writes_is_read_back(value: dict[str, object], escaped: bool) -> None:
    assert parse_object(json.dumps(value, ensure_ascii=escaped).encode("utf-8")) == value
