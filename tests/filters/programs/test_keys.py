"""Keys of code problems: what is read, and what is refused with the place of the mistake."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.programs.checks import (
    AssertsCheck,
    CallCase,
    CallsCheck,
    StdioCase,
    StdioCheck,
    UnreadableKey,
)
from potstill.filters.programs.keys import read_key
from potstill.filters.programs.values import from_json
from potstill.filters.sandbox.execution import Call


def calls(*cases: Any, entry_point: str = "f", **more: Any) -> str:
    return json.dumps({"kind": "calls", "entry_point": entry_point, "cases": cases, **more})


def stdio(*cases: Any, **more: Any) -> str:
    return json.dumps({"kind": "stdio", "cases": cases, **more})


def asserts(code: str, entry_point: str = "f", **more: Any) -> str:
    return json.dumps({"kind": "asserts", "entry_point": entry_point, "code": code, **more})


def test_calls() -> None:
    key = calls(
        {"args": [1, [2.5, {"a": None}]], "kwargs": {"k": True}, "expected": {"b": [1]}},
        {"expected": None},
    )
    assert read_key(key) == CallsCheck(
        "f",
        (
            CallCase(
                Call(
                    (1, [{"float": "0x1.4000000000000p+1"}, {"dict": [["a", None]]}]), {"k": True}
                ),
                from_json({"b": [1]}),
            ),
            CallCase(Call(), from_json(None)),
        ),
    )


def test_stdio() -> None:
    key = stdio({"stdin": "1\n", "stdout": "2\n"}, {"stdout": ""}, whitespace="exact")
    assert read_key(key) == StdioCheck(
        (StdioCase("1\n", "2\n"), StdioCase("", "")), whitespace="exact"
    )


def test_asserts() -> None:
    key = asserts("assert f(1) == 2", language="Python3", float_tolerance=0)
    assert read_key(key) == AssertsCheck("f", "assert f(1) == 2", "Python3", 0.0)


def test_settings_of_their_own() -> None:
    read = read_key(stdio({"stdout": "1"}, language="cpp", float_tolerance=1e-6))
    assert isinstance(read, StdioCheck)
    assert (read.language, read.float_tolerance, read.whitespace) == ("cpp", 1e-6, None)


@pytest.mark.parametrize(
    ("name", "read"),
    [("f", "f"), ("A.b", "A.b"), ("Solution().b", "Solution.b"), ("función", "función")],
)
def test_entry_points(name: str, read: str) -> None:
    check = read_key(calls({"expected": 1}, entry_point=name))
    assert isinstance(check, CallsCheck)
    assert check.entry_point == read


def test_numbers_that_are_no_finite_floats() -> None:
    case = '{"args": [NaN, -Infinity], "expected": Infinity}'
    read = read_key(f'{{"kind": "calls", "entry_point": "f", "cases": [{case}]}}')
    assert isinstance(read, CallsCheck)
    assert read.cases[0].call.args == ({"float": "nan"}, {"float": "-inf"})
    assert read.cases[0].expected.value == float("inf")


def with_case(text: str) -> str:
    return f'{{"kind": "calls", "entry_point": "f", "cases": [{text}]}}'


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


UNREADABLE = {
    "empty": ("", "no JSON"),
    "text": ("5 apples", "no JSON"),
    "a number": ("5", "the key: "),
    "null": ("null", "the key: "),
    "an array": ("[]", "the key: "),
    "no kind": ("{}", "kind"),
    "unknown kind": ('{"kind": "tests"}', "tests"),
    "no cases": ('{"kind": "calls", "entry_point": "f"}', "cases: Field required"),
    "empty cases": (calls(), "cases: "),
    "empty stdio": (stdio(), "cases: "),
    "cases as object": ('{"kind": "calls", "entry_point": "f", "cases": {"a": 1}}', "cases: "),
    "case as list": (calls([1, 2]), "cases[0]: "),
    "no entry point": ('{"kind": "calls", "cases": [{"expected": 1}]}', "entry_point: Field"),
    "no expected": (calls({"expected": 1}, {"args": [1]}), "cases[1].expected: Field required"),
    "a typo": (calls({"args": [1], "expcted": 1}), "cases[0].expcted: Extra"),
    "a typo in the key": (calls({"expected": 1}, entrypoint="g"), "entrypoint: Extra"),
    "args as object": (calls({"args": {"a": 1}, "expected": 1}), "cases[0].args: "),
    "args as text": (calls({"args": "1", "expected": 1}), "cases[0].args: "),
    "kwargs as list": (calls({"kwargs": [1], "expected": 1}), "cases[0].kwargs: "),
    "entry point with a space": (calls({"expected": 1}, entry_point="f g"), "entry_point: "),
    "keyword": (calls({"expected": 1}, entry_point="lambda"), "entry_point: "),
    "empty entry point": (calls({"expected": 1}, entry_point=""), "entry_point: "),
    "digits": (calls({"expected": 1}, entry_point="1f"), "entry_point: "),
    "code as entry point": (calls({"expected": 1}, entry_point="f()\nimport os"), "entry_point: "),
    "a path": (calls({"expected": 1}, entry_point="a.b.c"), "entry_point: "),
    "a newline behind": (calls({"expected": 1}, entry_point="f\n"), "entry_point: "),
    "entry point as list": (
        '{"kind": "calls", "entry_point": ["f"], "cases": [{"expected": 1}]}',
        "entry_point: ",
    ),
    "stdin as list": (stdio({"stdin": ["1"], "stdout": "1"}), "cases[0].stdin: "),
    "stdout as number": (stdio({"stdin": "1", "stdout": 1}), "cases[0].stdout: "),
    "no stdout": (stdio({"stdin": "1"}), "cases[0].stdout: Field required"),
    "half a surrogate pair": (stdio({"stdout": "\ud800"}), "cases[0].stdout: "),
    "whitespace": (stdio({"stdout": "1"}, whitespace="all"), "whitespace: "),
    "whitespace of calls": (calls({"expected": 1}, whitespace="lines"), "whitespace: Extra"),
    "entry point of stdio": (stdio({"stdout": "1"}, entry_point="f"), "entry_point: Extra"),
    "negative tolerance": (calls({"expected": 1}, float_tolerance=-1), "float_tolerance: "),
    "tolerance of one": (calls({"expected": 1}, float_tolerance=1), "float_tolerance: "),
    "tolerance true": (calls({"expected": 1}, float_tolerance=True), "float_tolerance: "),
    "tolerance as text": (calls({"expected": 1}, float_tolerance="0.1"), "float_tolerance: "),
    "tolerance NaN": (calls({"expected": 1}, float_tolerance=float("nan")), "float_tolerance: "),
    "empty language": (calls({"expected": 1}, language=""), "language: "),
    "asserts in C++": (asserts("assert f(1)", language="cpp"), "language: "),
    "a name twice": (with_case('{"expected": 1, "expected": 2}'), "'expected' stands twice"),
    "a name twice in a value": (with_case('{"expected": {"a": 1, "a": 2}}'), "'a' stands twice"),
    "a number beyond floats": (with_case('{"expected": 1e400}'), "1e400"),
    "many digits": (with_case('{"expected": ' + "9" * 5000 + "}"), "5,000 digits"),
    "deep": (with_case('{"expected": ' + nested(66) + "}"), "cases[0]: "),
    "very deep": (with_case('{"expected": ' + nested(100_000) + "}"), "nested deeper"),
    "brackets only": ("[" * 1_000_000, "nested deeper"),
    "cut": (calls({"expected": 1})[:-1], "no JSON"),
    "something behind": (calls({"expected": 1}) + "x", "no JSON"),
    "code as list": ('{"kind": "asserts", "entry_point": "f", "code": ["assert f(1)"]}', "code: "),
    "no Python": (asserts("assert f(1 == 2"), "code: '(' was never closed, line 1"),
    "null byte": (asserts("assert f(1)\0"), "code: "),
    "half a surrogate pair in code": (asserts("assert f('\ud800')"), "code: "),
    "deep code": (asserts("assert " + "-" * 100_000 + "f(1)"), "code: "),
    "open brackets": (asserts("assert " + "(" * 100_000), "code: "),
    "no asserts": (asserts("def check(candidate):\n    pass"), "nothing in it is asserted"),
    "empty code": (asserts(""), "nothing in it is asserted"),
    "never called": (asserts("def test_f():\n    assert f(1) == 2"), "'test_f' asserts something"),
    "its own program": (asserts("def f(x):\n    return x\nassert f(1) == 1"), "binds 'f' itself"),
    "imports the program": (asserts("from solution import f\nassert f(1)"), "binds 'f' itself"),
    "check of nothing": (asserts("def check():\n    assert f(1)"), "one argument"),
    "check of two": (asserts("def check(a, b):\n    assert a(1)"), "one argument"),
}


@pytest.mark.parametrize(("key", "told"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable(key: str, told: str) -> None:
    start = time.process_time()
    read = read_key(key)
    assert isinstance(read, UnreadableKey), read
    assert told in read.detail
    assert len(read.detail) < 1000
    assert time.process_time() - start < 5


def test_many_mistakes_are_told_briefly() -> None:
    read = read_key(calls(*[{"args": 1}] * 10_000))
    assert isinstance(read, UnreadableKey)
    assert "and 19,997 more" in read.detail
    assert len(read.detail) < 500


def test_values_may_be_as_deep_as_a_program_can_return_them() -> None:
    assert isinstance(read_key(with_case('{"expected": ' + nested(64) + "}")), CallsCheck)


@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_never_raises(text: str) -> None:
    assert isinstance(read_key(text), UnreadableKey)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(json_values), st.dictionaries(st.text(), json_values), json_values)
def test_any_json_can_be_an_argument_and_expected(
    args: list[Any], kwargs: dict[str, Any], expected: Any
) -> None:
    check = read_key(calls({"args": args, "kwargs": kwargs, "expected": expected}))
    assert isinstance(check, CallsCheck)
    assert len(check.cases[0].call.args) == len(args)
    assert set(check.cases[0].call.kwargs or {}) == set(kwargs)
