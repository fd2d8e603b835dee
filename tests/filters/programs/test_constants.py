"""Expressions of keys that are constants: their value as Python has it, and never at any price."""

from __future__ import annotations

import ast
import math
import time
import tracemalloc

import pytest
from hypothesis import assume, given
from programs_values import literals, returned

from potstill.filters.programs.constants import Constants, NotConstant
from potstill.filters.programs.values import shown

CONSTANTS = [
    "1", "-1", "+1.5", "~3", "not 0", "2**3", "7 // 2", "7 % 3", "1 / 4", "1 << 5", "1 - 2j",
    "'a' * 3", "'a' 'b'", "'a' + 'b'", "[0] * 5", "3 * [1, 2]", "[1] + [2]", "(1, (2,))", "{1, 2}",
    "{'a': [1]}", "{}", "set()", "frozenset({1})", "float('inf')", "-float('inf')", "math.pi",
    "math.inf", "list(range(3))", "list(range(5, 0, -2))", "tuple([1])", "sorted([2, 1])",
    "str(12)", "len('abc')", "round(2.567, 1)", "sum([1, 2])", "max(1, 2)", "abs(-3)", "2.0 / 3.0",
    "[i * i for i in range(4)]", "[i for i in range(9) if i % 2 != 0 and i > 2]",
    "sum(i for i in [1, 2])", "[a + b for a, b in zip([1, 2], [3, 4])]", "[] == []", "1 < 2",
    "list(enumerate('ab'))", "dict([(1, 2)])", "int('12')", "10**300", "b'ab'", "None", "True",
    "3 + 5 + 7", "[[0] * 3] * 2", "1e400", "'%' * 2", "bool([])", "complex(1, 2)",
    "1 and 2", "[] and 2", "1 and 0 and 2",
]  # fmt: skip


@pytest.mark.parametrize("text", CONSTANTS)
def test_the_value_is_python_s(text: str) -> None:
    value, known = read(text), eval(text, {"math": math})
    assert (value, type(value)) == (known, type(known))


@given(literals())
def test_literals(value: object) -> None:
    text = shown(returned(value))
    assume("bytearray" not in text)
    assert shown(returned(read(text))) == text


def read(text: str, shadowed: frozenset[str] = frozenset(), **names: object) -> object:
    return Constants(shadowed).value(ast.parse(text, mode="eval").body, names)


def test_names() -> None:
    assert read("[a] * b", a=1, b=2) == [1, 1]
    with pytest.raises(NotConstant):
        read("c", a=1)


NOT_CONSTANT = [
    "f(1)", "open('a')", "__import__('os')", "x", "x.y", "[].append(1)", "''.join([])", "lambda: 1",
    "[*[1]]", "{**{}}", "1 if True else 2", "f'{1}'", "[1][0]", "...", "1 / 0", "10**400 / 1.5",
    "'a' + 1", "{[]}", "{[]: 1}", "int('x')", "sorted([1, 'a'])", "1 < 2 < 3", "[] < [[]] or 1",
    "range(3, step=1)", "int(x=1)", "[a for a in [1] for b in [2]]", "'%s' % 1", "{1} - {1}",
    "list(1)", "(x := 1)", "math.factorial(9)", "math.sin", "[i for i, j in [1]]", "max()",
    "(yield)", "1 @ 2", "-'a'", "2 ** 'a'", "'a' * 'b'", "1.5 << 2", "round(1, 2, 3)",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_CONSTANT)
def test_what_is_no_constant(text: str) -> None:
    with pytest.raises(NotConstant):
        read(text)


COSTLY = [
    "9**9**9", "2**100001", "(2**99999)**2", "1 << 10**9", "'a' * 10**9", "[0] * 10**9",
    "[[[0] * 1000] * 1000] * 1000", "[0] * (10**9) * 0", "10**9 * (10**9 * 'a')", "range(10**12)",
    "list(range(10**7))", "sum(range(10**9))", "[i for i in range(10**7)]", "round(5, -10**9)",
    "sum([0 for a in range(1000) if sum([0 for b in range(2000)]) == 0])", "'%*d' % (10**9, 1)",
    "str(10**5000)", "(1 << 99999) * (1 << 99999)", "list(zip(range(10**7)))", "2.0**10**6",
    "'ab' * ('a' * 10)", "(b'a' * 1000) * 1000 * 1000", "(-2)**100001", "max(range(10**8))",
]  # fmt: skip


@pytest.mark.parametrize("text", COSTLY)
def test_what_costs_too_much_is_refused_in_time(text: str) -> None:
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(NotConstant):
        read(text)
    assert time.process_time() - start < 10
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()


def test_the_budget_is_of_the_whole_key() -> None:
    constants = Constants(frozenset())
    node = ast.parse("[0] * 150_000", mode="eval").body
    for _ in range(5):
        constants.value(node, {})
    with pytest.raises(NotConstant):
        constants.value(node, {})


def test_shadowed_names_are_no_builtins() -> None:
    for text in ("str(1)", "math.pi"):
        with pytest.raises(NotConstant):
            read(text, shadowed=frozenset({"str", "math"}))


def test_too_deep() -> None:
    with pytest.raises(RecursionError):
        read("+".join("1" * 1500))
