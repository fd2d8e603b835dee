"""Wire values: what is written comes back, and hostile text gives a value or `MalformedValue`."""

from __future__ import annotations

import contextlib
import json
import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from programs_values import literals

from potstill.filters.programs.wires import Bag, MalformedValue, Other, Pairs, read_wire, wire


def plain(value: object) -> object:
    return read_wire(json.dumps(wire(value)))


@given(literals())
def test_round_trip(value: object) -> None:
    assert unwrapped(plain(value)) == unwrapped_nan(value)


def unwrapped(value: object) -> object:
    """The Python value of a tree that came from one; NaN as text, which is equal to itself."""
    if isinstance(value, Bag):
        return (frozenset if value.frozen else set)(map(unwrapped, value.items))
    if isinstance(value, Pairs):
        return {unwrapped(name): unwrapped(item) for name, item in value.items}
    return unwrapped_nan(value, unwrapped)


def unwrapped_nan(value: object, inner: object = None) -> object:
    inner = inner or unwrapped_nan
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, complex):
        return ("complex", inner(value.real), inner(value.imag))
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(map(inner, value))
    if isinstance(value, dict):
        return {inner(name): inner(item) for name, item in value.items()}
    return value


def test_the_form_is_that_of_the_contract() -> None:
    assert wire([1, True, None, "a"]) == [1, True, None, "a"]
    assert wire(2**53) == {"int": "0x20000000000000"}
    assert wire(-(2**53)) == {"int": "-0x20000000000000"}
    assert wire((1.5, b"\x00\xff")) == {
        "tuple": [{"float": "0x1.8000000000000p+0"}, {"bytes": "00ff"}]
    }
    assert wire({(1,): {2}}) == {"dict": [[{"tuple": [1]}, {"set": [2]}]]}
    assert wire({"b", "a", "c"}) == {"set": ["a", "b", "c"]}


@pytest.mark.parametrize("value", [object(), range(3), ..., iter([]), type])
def test_what_has_no_wire_form(value: object) -> None:
    with pytest.raises(ValueError, match=type(value).__name__):
        wire([value])


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_limited_when_written() -> None:
    assert plain(nested(64)) == nested(64)
    with pytest.raises(ValueError, match="64 levels"):
        wire(nested(66))
    with pytest.raises(ValueError, match="64 levels"):
        wire(nested(100_000))


HOSTILE = {
    "deep lists": "[" * 20_000 + "]" * 20_000,
    "deep lists, open": "[" * 200_000,
    "deep objects": '{"tuple":[' * 20_000 + "]}" * 20_000,
    "deep behind a string": '["' + '\\"[' * 50_000 + '",' + "[" * 20_000 + "]" * 20_000 + "]",
    "many digits": "9" * 60_000,
    "many digits behind a sign": "-" + "9" * 60_000,
    "2**53": str(2**53),
    "float": "1.5",
    "exponent": "1e5",
    "NaN": "NaN",
    "Infinity": "[-Infinity]",
    "not UTF-8": b'"\xff\xfe"',
    "UTF-16": '"a"'.encode("utf-16"),
    "empty": "",
    "two values": "1 2",
    "control character": '"\n"',
    "no tag": "{}",
    "two tags": '{"int": "0x1", "float": "nan"}',
    "a tag twice": '{"int": "0x1", "int": "0x2"}',
    "unknown tag": '{"object": 1}',
    "int of a list": '{"int": [1]}',
    "int in digits": '{"int": "12"}',
    "int with underscores": '{"int": "0x1_0"}',
    "int with white space": '{"int": " 0x1"}',
    "int in other digits": '{"int": "0x\\u0661"}',
    "float in digits": '{"float": "1.5"}',
    "float word": '{"float": "infinity"}',
    "float out of range": '{"float": "0x1.0p+9999"}',
    "complex of one": '{"complex": ["0x1.0p+0"]}',
    "complex of numbers": '{"complex": [1, 2]}',
    "tuple of text": '{"tuple": "abc"}',
    "set of an object": '{"set": {"int": "0x1"}}',
    "dict of triples": '{"dict": [[1, 2, 3]]}',
    "dict of an object": '{"dict": {"a": 1}}',
    "dict of text": '{"dict": ["ab"]}',
    "odd bytes": '{"bytes": "0"}',
    "bytes with white space": '{"bytes": "00 ff"}',
    "other of a list": '{"other": []}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_malformed_at_once(text: str | bytes) -> None:
    start = time.process_time()
    with pytest.raises(MalformedValue):
        read_wire(text)
    assert time.process_time() - start < 1


def test_long_values_take_linear_time() -> None:
    start = time.process_time()
    assert read_wire('{"int": "0x' + "f" * 1_000_000 + '"}') == 16**1_000_000 - 1
    assert len(read_wire('"' + "\\u0000[" * 200_000 + '"')) == 400_000
    assert len(read_wire("[" + "[]," * 200_000 + "[]]")) == 200_001
    assert time.process_time() - start < 5


def test_nothing_in_a_tree_is_hashed() -> None:
    assert read_wire('{"set": [[1], [1]]}') == Bag(([1], [1]))
    assert read_wire('{"dict": [[[], 1], [[], 2]]}') == Pairs((([], 1), ([], 2)))
    assert read_wire('{"other": "m.C"}') == Other("m.C")


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["int", "float", "tuple", "set", "dict", "bytes", "complex", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=20,
).map(json.dumps)


@given(st.one_of(json_texts, st.text(), st.binary()))
@example('{"dict": [[NaN, 1]]}')
def test_any_text_gives_a_tree_or_is_malformed(text: str | bytes) -> None:
    with contextlib.suppress(MalformedValue):
        read_wire(text)
