"""Programs that answer what a key expects: they are accepted, unless the key contradicts itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_runs import passes, values_of

from potstill.filters.programs.accepting import accepting_program
from potstill.filters.programs.asserts import rewritten
from potstill.filters.programs.checks import AssertsCheck, CallsCheck, StdioCheck, UnreadableKey
from potstill.filters.programs.keys import read_key
from potstill.filters.programs.values import same
from potstill.filters.sandbox.execution import Calls


def accepted(*cases: dict[str, Any], entry_point: str = "f") -> list[bool]:
    """Whether the program gives what each case expects."""
    key = json.dumps({"kind": "calls", "entry_point": entry_point, "cases": cases})
    check = read_key(key)
    assert isinstance(check, CallsCheck)
    program = accepting_program(check)
    assert program is not None
    events = values_of(program, Calls(check.entry_point, tuple(case.call for case in check.cases)))
    assert events[-1] == ["end", len(cases)]
    told = {event[0]: event[2] for event in events[:-1] if event[1] == "value"}
    return [
        number in told and same(case.expected, told[number])
        for number, case in enumerate(check.cases)
    ]


def test_calls() -> None:
    cases = [
        {"args": [1, "é\n\"'\\"], "kwargs": {"k": None}, "expected": {"1": [2.5, True]}},
        {"args": [True], "expected": "bool"},
        {"args": [1], "expected": "int"},
        {"args": [1.0], "expected": "float"},
        {"args": [float("nan"), float("-inf"), 10**30], "expected": [float("nan"), 10**30]},
        {"args": [{"b": 1, "a": []}], "expected": None},
        {"expected": "\ud800"},
    ]
    assert accepted(*cases) == [True] * len(cases)
    assert accepted(*cases, entry_point="Solution.two") == [True] * len(cases)


def test_a_key_that_expects_two_answers_to_one_question_is_found() -> None:
    assert accepted({"args": [1], "expected": 2}, {"args": [1], "expected": 3}) == [False, True]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None)
@given(st.lists(json_values, min_size=1, max_size=10))
def test_any_values(values: list[Any]) -> None:
    cases = [{"args": [number, value], "expected": value} for number, value in enumerate(values)]
    assert accepted(*cases) == [True] * len(cases)


def test_stdio() -> None:
    cases = [("", "nothing\n"), ("1 2\r\n", "3\n"), ("1 2\n", "é '\"\\\0"), ("a" * 10_000, "")]
    key = {"kind": "stdio", "cases": [{"stdin": given, "stdout": told} for given, told in cases]}
    check = read_key(json.dumps(key))
    assert isinstance(check, StdioCheck)
    program = accepting_program(check)
    assert program is not None
    for case in check.cases:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            input=case.stdin.encode(),
            capture_output=True,
            check=True,
        )
        assert done.stdout == case.stdout.encode()


ASSERTED = [
    "assert f(1) == [1, (2,), {3: {4}}, b'5', 1j, bytes]",
    "assert f({1, 2}, (3,), b'4', -1.5) == (None, float('nan'))",
    "assert f(1) and not f(2)\nassert f(3) is None",
    "assert f(1) < 5 and f(2) > 5 and f(3) <= 5 and f(4) >= 5",
    "assert abs(f(1) - 0.5) < 1e-6\nassert math.isclose(f(2), 2.5)",
    "assert f(1) in ('a', 'b')",
]


@pytest.mark.parametrize("code", ASSERTED[1:])
def test_asserts(code: str) -> None:
    check = AssertsCheck("f", code)
    program = accepting_program(check)
    assert program is not None
    assert passes(program, "f", rewritten(check))


@pytest.mark.parametrize("code", [ASSERTED[0], "assert list(f(1)) == [1]", "assert f(1) == f(2)"])
def test_asserts_that_do_not_tell_the_answer(code: str) -> None:
    assert accepting_program(AssertsCheck("f", code)) is None


def test_other_languages() -> None:
    for language, there in (("cpp", False), ("python", True), ("Python3", True)):
        key = {"kind": "stdio", "cases": [{"stdout": "1"}], "language": language}
        check = read_key(json.dumps(key))
        assert not isinstance(check, UnreadableKey)
        assert (accepting_program(check) is not None) is there
