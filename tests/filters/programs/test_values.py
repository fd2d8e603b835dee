"""Which values are what a key expects: strict about types, whatever the values are."""

from __future__ import annotations

import ast
import json
import time
from collections import Counter, OrderedDict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs_values import HASHABLE, literals, returned

from potstill.filters.programs.values import from_json, from_literal, key, same, shown
from potstill.filters.programs.wires import Other, Plain, read_wire

NAN = float("nan")
INF = float("inf")
HUGE = 10**400
NUMBER = int | float | complex

EQUAL_LITERALS = [
    (1, 1.0),
    (1.0, 1),
    (0.0, -0.0),
    (2**53 + 1, 2**53 + 1),
    (1, 1 + 0j),
    (NAN, NAN),
    ([1, NAN], [1, NAN]),
    (complex(1, NAN), complex(1, NAN)),
    (INF, INF),
    ({1, 2.0}, {1.0, 2}),
    ({1}, frozenset({1})),
    ({1: "a"}, {1.0: "a"}),
    ({(1, 2): [3]}, {(1.0, 2): [3.0]}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    (b"a", bytearray(b"a")),
    ({NAN}, {NAN}),
    ([], []),
    (None, None),
    ("\ud800", "\ud800"),
]
DIFFERENT_LITERALS = [
    (1, True),
    (True, 1),
    (False, 0),
    (0, False),
    (1.0, True),
    ([1], [True]),
    ({1}, {True}),
    ({1: 2}, {True: 2}),
    ({"a": 1}, {"a": True}),
    (None, False),
    (None, 0),
    (0, None),
    ("", None),
    ([], None),
    ("1", 1),
    (1, "1"),
    ("a", b"a"),
    ("a", ["a"]),
    ("ab", ["a", "b"]),
    ([1, 2], (1, 2)),
    ((1, 2), [1, 2]),
    ([1, 2], {1, 2}),
    ({1, 2}, [1, 2]),
    ([], {}),
    ({}, set()),
    ([1, 2], [1, 2, 3]),
    ([1, 2, 3], [1, 2]),
    ([1, 2], [2, 1]),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": 1, "b": 2}, {"a": 1}),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, [("a", 1)]),
    (2**53, float(2**53 + 2)),
    (2**53 + 1, float(2**53)),
    (HUGE, INF),
    (INF, HUGE),
    (INF, -INF),
    (NAN, 1.0),
    (1.0, NAN),
    (NAN, INF),
    (0.1 + 0.2, 0.3),
    (1, 1 + 1j),
    ("é", "e\u0301"),
    ("a", "a "),
]


@pytest.mark.parametrize(("expected", "got"), EQUAL_LITERALS)
def test_equal_literals(expected: object, got: object) -> None:
    assert same(from_literal(expected), returned(got))


@pytest.mark.parametrize(("expected", "got"), DIFFERENT_LITERALS)
def test_different_literals(expected: object, got: object) -> None:
    assert not same(from_literal(expected), returned(got))


EQUAL_JSON = [
    ([1, 2], (1, 2)),
    ([[1, 2], [3]], ([1, 2], (3,))),
    ({"1": 2}, {1: 2}),
    ({"1": 2}, {"1": 2}),
    ({"-1": 0, "2.5": 1, "true": 2, "null": 3}, {-1: 0, 2.5: 1, True: 2, None: 3}),
    ({"a": [1]}, {"a": (1,)}),
    ({"a": {"1": None}}, {"a": {1: None}}),
    (NAN, NAN),
    (1, 1.0),
    (None, None),
    (10**30, 10**30),
]
DIFFERENT_JSON = [
    ([1, 2], {1, 2}),
    ([1, 2], "12"),
    (["a"], "a"),
    ([1], [True]),
    (1, True),
    ({"1": 2}, {1.0: 2}),
    ({"1": 2}, {True: 2}),
    ({"1": 2}, {"1": 2, 1: 2}),
    ({"1": 2, "2": 3}, {1: 2}),
    ({"(1, 2)": 3}, {(1, 2): 3}),
    ({"True": 1}, {True: 1}),
    ({"a": 1}, [["a", 1]]),
    ({}, []),
    ([], {}),
    ([], None),
    ("a", b"a"),
]


@pytest.mark.parametrize(("expected", "got"), EQUAL_JSON)
def test_equal_to_json(expected: object, got: object) -> None:
    assert same(from_json(expected), returned(got))


@pytest.mark.parametrize(("expected", "got"), DIFFERENT_JSON)
def test_different_from_json(expected: object, got: object) -> None:
    assert not same(from_json(expected), returned(got))


TOLERATED = [
    (0.3, 0.1 + 0.2, 1e-9, True),
    (0.0, 1e-10, 1e-9, True),
    (1e20, 1e20 + 1e9, 1e-9, True),
    (1, 1.0000001, 1e-6, True),
    (1.0000001, 1, 1e-6, True),
    ([{"a": 1.0}], [{"a": 1.0000001}], 1e-6, True),
    (1 + 1j, 1.0000001 + 1j, 1e-6, True),
    (1000000, 1000001, 1e-3, False),  # two integers
    (1.0, 1.1, 1e-6, False),
    (1.0, True, 0.5, False),
    (INF, 1e308, 0.9, False),
    (INF, -INF, 0.9, False),
    (NAN, 1.0, 0.9, False),
    (1.0, HUGE, 0.9, False),
    ({1.0}, {1.0000001}, 1e-6, False),
    ({1.0: 1}, {1.0000001: 1}, 1e-6, False),
    (0.3, 0.1 + 0.2, 0.0, False),
]


@pytest.mark.parametrize(("expected", "got", "tolerance", "equal"), TOLERATED)
def test_tolerance(expected: object, got: object, tolerance: float, equal: bool) -> None:
    assert same(from_literal(expected), returned(got), tolerance) is equal


def test_what_has_no_value_is_equal_to_nothing() -> None:
    other = read_wire('{"other": "m.C"}')
    for expected in (None, 0, "m.C", [], {}, set(), NAN):
        assert not same(from_literal(expected), other)
    assert not same(from_literal([1]), [Other("m.C")])
    assert not same(from_literal({1: 2}), read_wire('{"dict": [[{"other": "x"}, 2]]}'))
    assert not same(from_literal({1}), read_wire('{"set": [{"other": "x"}]}'))


def test_subclasses_come_as_their_base() -> None:
    point = namedtuple("point", "x y")
    assert same(from_literal((1, 2)), returned(tuple(point(1, 2))))
    assert same(from_literal({"a": 2}), returned(dict(Counter("aa"))))
    assert same(from_literal({"a": 1}), returned(dict(OrderedDict(a=1))))


FORGED = [
    '{"set": [1, 1, 2]}',
    '{"set": [1, true]}',
    '{"set": [[1], 2]}',
    '{"set": [1]}',
]


@pytest.mark.parametrize("text", FORGED)
def test_sets_that_no_program_can_make(text: str) -> None:
    assert not same(from_literal({1, 2}), read_wire(text))


def test_dicts_that_no_program_can_make() -> None:
    for text in ('{"dict": [[1, 2], [1, 2]]}', '{"dict": [[1, 3], [1, 2]]}', '{"dict": [[[], 2]]}'):
        assert not same(from_literal({1: 2}), read_wire(text))
    assert not same(from_json({"1": 2}), read_wire('{"dict": [["1", 2], [{"other": ""}, 2]]}'))


def python_equal(one: Any, other: Any) -> bool:
    """Python's `==` where no bool stands against a number and NaN is itself."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, NUMBER) and isinstance(other, NUMBER):
        parts = [(one.real, other.real), (one.imag, other.imag)]
        return all(a == b or (a != a and b != b) for a, b in parts)
    if isinstance(one, list | tuple):
        return (
            type(one) is type(other)
            and len(one) == len(other)
            and all(map(python_equal, one, other))
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return matched(list(one.items()), list(other.items()))
    if isinstance(one, set | frozenset) and isinstance(other, set | frozenset):
        return matched(list(one), list(other))
    return bool(one == other)


def matched(ones: list[Any], others: list[Any]) -> bool:
    """Whether each element has its own equal one, found by trying."""
    left = list(others)
    for one in ones:
        found = [place for place, other in enumerate(left) if python_equal(one, other)]
        if not found:
            return False
        del left[found[0]]
    return not left


@given(literals(), literals())
def test_same_is_python_s_equality_with_types(one: object, other: object) -> None:
    assert same(from_literal(one), returned(one))
    assert same(from_literal(one), returned(other)) is python_equal(one, other)


@given(HASHABLE, HASHABLE)
def test_keys_are_equal_if_and_only_if_the_values_are(one: object, other: object) -> None:
    assert (key(returned(one)) == key(returned(other))) is python_equal(one, other)


@given(literals(), st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=9))
def test_expectations_of_json_never_raise(value: object, expected: object) -> None:
    assert same(from_json(expected), returned(value)) in (True, False)


def test_large_sets_and_dicts_take_linear_time() -> None:
    colliding = ",".join(f'{{"int": "{hex(n * (2**61 - 1))}"}}' for n in range(30_000))
    start = time.process_time()
    got = read_wire(f'{{"set": [{colliding}]}}')
    assert not same(from_literal(set(range(30_000))), got)
    many = {n: str(n) for n in range(100_000)}
    assert same(from_literal(many), returned(many))
    assert same(from_json({str(n): n for n in range(100_000)}), returned({n: n for n in many}))
    deep: Plain = read_wire('{"set": [' * 60 + "1" + "]}" * 60)
    assert not same(from_literal({1}), deep)
    assert time.process_time() - start < 20


@given(literals())
def test_shown_is_python(value: object) -> None:
    text = shown(returned(value))
    names = {"float": float, "complex": complex, "frozenset": frozenset, "set": set}
    again = eval(text, {"__builtins__": {}, "bytearray": bytearray, **names})
    assert python_equal(again, value)
    assert type(again) is type(value)


def test_shown() -> None:
    assert shown(returned([1, (2,), {"a": {1.5}}, set(), NAN])) == (
        "[1, (2,), {'a': {1.5}}, set(), float(\"nan\")]"
    )
    assert shown(Other("m.C")) == "<m.C>"
    assert shown(10**5000) == hex(10**5000)
    assert ast.literal_eval(shown(read_wire(json.dumps([1, None])))) == [1, None]
