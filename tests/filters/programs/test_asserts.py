"""Asserts as calls: which forms are known, what has to stay inside, and that nothing is dropped."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_runs import asserts_hold, passes
from programs_values import literals, returned

from potstill.filters.programs.asserts import Rewritten, holds, rewritten
from potstill.filters.programs.checks import AssertsCheck
from potstill.filters.programs.values import shown
from potstill.filters.programs.wires import Other, Plain, read_wire


def asked(code: str, entry_point: str = "f") -> Rewritten:
    return rewritten(AssertsCheck(entry_point, code))


def check(*lines: str) -> str:
    return "def check(candidate):\n" + "".join(f"    {line}\n" for line in lines)


def arguments(found: Rewritten) -> list[str]:
    """The arguments of each call."""
    return [
        ", ".join(
            [shown(read_wire(json.dumps(each))) for each in case.call.args]
            + [
                f"{name}={shown(read_wire(json.dumps(each)))}"
                for name, each in (case.call.kwargs or {}).items()
            ]
        )
        for case in found.cases
    ]


def inside(found: Rewritten) -> list[str]:
    return [line.strip() for line in (found.inside or "").splitlines() if "assert" in line]


# Conditions

NAN = float("nan")
HOLDS: list[tuple[str, list[object], list[object]]] = [
    ("f(1) == 2", [2, 2.0], [3, True, "2", None, [2]]),
    ("2 == f(1)", [2], [3]),
    ("f(1) == True", [True], [1, 1.0, "True"]),
    ("f(1) == 1", [1, 1.0], [True]),
    ("f(1) == [1, (2,)]", [[1, (2,)]], [[1, [2]], (1, (2,))]),
    ("f(1) == {'a': {1, 2}}", [{"a": {2, 1}}], [{"a": [1, 2]}]),
    ("f(1) == {1: 2}", [{1: 2}], [{"1": 2}]),
    ("f(1) == float('inf')", [float("inf")], [1e308, 10**400]),
    ("f(1) == float('nan')", [NAN], [1.0, None]),
    ("f(1) == 2 ** 3 + 1", [9], [8]),
    ("f(1) is None", [None], [0, False, ""]),
    ("f(1) is True", [True], [1]),
    ("f(1) is False", [False], [0, None]),
    ("f(1)", [1, True, "a", [0], {1: 2}, Other("re.Match")], [0, None, "", [], {}, set(), 0.0]),
    ("not f(1)", [0, None, "", [], {}, set(), False], [1, "a", {0}, Other("re.Match")]),
    ("f(1) in (1, 'a')", [1, 1.0, "a"], [True, None, "b"]),
    ("f(1) in [[1], [2]]", [[2]], [2, (2,)]),
    ("abs(f(1) - 0.5) < 0.1", [0.5, 0.55, 0.41], [0.61, 1, True, NAN, None, [0.5], "0.5"]),
    ("abs(0.5 - f(1)) <= 0.25", [0.75, 0.25], [0.76, 10**400]),
    ("math.fabs(f(1) - 1) < 1e-6", [1, 1.0000001], [1.1, 1 + 0j]),
    ("f(1) > 3", [4, 3.5, float("inf")], [3, NAN, True, "4", None]),
    ("f(1) <= 3", [3, -(10**400)], [3.5, NAN]),
    ("abs(f(1)) < 3", [2.5], [3]),
    ("math.isclose(f(1), 2.0)", [2.0, 2.0000000001], [2.1, None, True, 10**400]),
    ("math.isclose(2.0, f(1), rel_tol=0.1)", [2.1], [2.5]),
    ("math.isclose(f(1), 0.0, abs_tol=0.1)", [0.05, 0], [0.2]),
    ("round(f(1), 2) == 3.14", [3.14], [3.141]),  # what is returned has been rounded inside
    ("f(1) == 2, 'message'", [2], [3]),
    ("f(1) == 2, f'{f(1)}'", [2], [3]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "good", "bad"), HOLDS, ids=[text for text, _, _ in HOLDS])
def test_conditions(text: str, good: list[object], bad: list[object]) -> None:
    found = asked(check(f"assert {text}"), "f")
    assert (found.inside, len(found.cases)) == (None, 1)
    assert [holds(found.cases[0], plain(each)) for each in good] == [True] * len(good)
    assert [holds(found.cases[0], plain(each)) for each in bad] == [False] * len(bad)


def plain(value: object) -> Plain:
    return value if isinstance(value, Other) else returned(value)


def test_the_tolerance_of_a_key_holds_for_equality() -> None:
    (case,) = asked("assert f(1) == [0.3]").cases
    assert not holds(case, [0.1 + 0.2])
    assert holds(case, [0.1 + 0.2], 1e-9)


@given(literals())
def test_a_literal_is_met_by_itself(value: object) -> None:
    text = shown(returned(value))
    if "bytearray" in text:
        return
    (case,) = asked(f"assert f({text}) == {text}").cases
    assert holds(case, returned(value))
    assert arguments(asked(f"assert f({text}) == {text}")) == [text]


# Calls

CALLS = [
    ("assert f(1, [2], k={'a': (3,)}) == 1", ["1, [2], k={'a': (3,)}"]),
    ("assert f() == 1", [""]),
    ("assert f(*[1, 2], **{'k': 3})", ["1, 2, k=3"]),
    ("assert candidate(1)", ["1"]),
    ("assert f(-1) == 1 and f(2) == 2 and not f(3)", ["-1", "2", "3"]),
    ("for n in range(3):\n    assert f(n) == n", ["0", "1", "2"]),
    ("for a, b in [(1, 2), (3, 4)]:\n    assert f(a) == b", ["1", "3"]),
    ("for a in [1, 2]:\n    for b in [3]:\n        assert f(a, b)", ["1, 3", "2, 3"]),
    ("for i, (a, b) in enumerate(zip([1], [2])):\n    assert f(a) == b, i", ["1"]),
    ("for given, told in [([1], [2]), ([3], [4])]:\n    assert f(given) == told", ["[1]", "[3]"]),
    ("for args, told in [((1, 2), 3)]:\n    assert f(*args) == told", ["1, 2"]),
    ("n = 5\nassert f(n) == n\nassert f(n + 1)", ["5", "6"]),
    ("x = [1]\nassert f(x) == 1\nx = [2]\nassert f(x) == 2", ["[1]", "[2]"]),
    ("x: int = 5\nassert f(x)", ["5"]),
    ("r = f(1)\nassert r == 2, f'got {r}'\nr = f(2)\nassert r == 3", ["1", "2"]),
    ("lst = [1, 2]\ntotal = sum(lst)\nassert f(lst) == total", ["[1, 2]"]),
    ("if __name__ == '__main__':\n    assert f(1)", ["1"]),
    ("assert f(1)\nprint('passed', 1)", ["1"]),
    ("def check(f):\n    assert f(1)\ncheck(f)", ["1"]),
    ("def check(g):\n    assert g(1) and candidate(2)", ["1", "2"]),
    ("def check(candidate):\n    assert candidate(1)\n    return True\n    assert f(0)", ["1"]),
    ("import re\nassert f(1)", ["1"]),
    ("assert True, 'always'\nassert f(1)", ["1"]),
    ("def check(candidate, verbose=False):\n    assert candidate(1)", ["1"]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "calls"), CALLS, ids=[code for code, _ in CALLS])
def test_what_becomes_calls(code: str, calls: list[str]) -> None:
    found = asked(code)
    assert found.inside is None
    assert arguments(found) == calls
    assert (found.entry_point, found.appended) == ("f", "")


def test_a_method() -> None:
    found = asked("assert Solution().two(nums=[1]) == 2\nassert candidate([2])", "Solution.two")
    assert arguments(found) == ["nums=[1]", "[2]"]
    assert (found.inside, found.entry_point) == (None, "Solution.two")


STAYS = [
    ("assert f(1) == f(2)\nassert f(3)", ["3"], 1),
    ("assert f(g())\nassert f(3)", ["3"], 1),
    ("assert f(1) != 2", [], 1),
    ("assert f(1) or f(2)", [], 1),
    ("assert f(1) == 1 == 1", [], 1),
    ("assert 1 in f(1)", [], 1),
    ("assert isinstance(f(1), int)", [], 1),
    ("assert f(1).x == 2", [], 1),
    ("assert f(1) == open('x')", [], 1),
    ("assert f(1) in []", [], 1),
    ("assert f(1) in 'abc'", [], 1),
    ("assert f(1) is 5", [], 1),
    ("assert math.isclose(f(1), 2, rel_tol=-1)", [], 1),
    ("assert False", [], 1),
    ("assert all(f(x) for x in [1])", [], 1),
    ("assert f(1)\nsetup()\nassert f(2)", ["1"], 1),
    ("assert f(1)\nx = g()\nassert f(2)", ["1"], 1),
    ("assert f(1)\nfor x in g():\n    assert f(x)\nassert f(2)", ["1"], 2),
    ("while True:\n    assert f(1)\n    break", [], 1),
    ("try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    assert False", [], 1),
    ("with g():\n    assert f(1)", [], 1),
    ("if g():\n    assert f(1)", [], 1),
    ("x = [1]\nassert f(x) is None\nassert x == [2]", [], 2),
    ("x = [1]\nassert f(x) == 1\nassert f(x) == 2", [], 2),
    ("x = [1]\ny = x\nassert f(x)\nassert y == [1]", [], 2),
    ("x = [1]\ny = [x]\nassert f(y)\nassert x == [1]", [], 2),
    ("x = [1]\nr = f(x)\nassert r is None\nassert x == [1]", [], 2),
    ("x = [1]\nfor i in range(2):\n    assert f(x) == i", [], 1),
    ("for x in [[1]]:\n    assert f(x) == 1 and f(x) == 2", [], 1),
    ("x = [[1]]\nfor y in x:\n    assert f(y)\nassert x == [[1]]", [], 2),
    ("r = f(1)\nassert r[0] == 1\nassert r[1] == 2", [], 2),
    ("r = f(1)\ndef g():\n    assert r\nassert r\ng()", [], 2),
    ("r = f(1)\nassert f(2) == 2", [], 1),
    ("str = 'a'\nassert f(1) == str(1)", [], 1),
    ("def abs(x):\n    return 0\nassert abs(f(1) - 2) < 1", [], 1),
    ("for n in range(20000):\n    assert f(n)", [], 1),
    ("def g():\n    f = 1\n    return f\nassert f(1)", [], 1),
    ("def check(f):\n    f = g(f)\n    assert f(1)", [], 1),
    ("x = 1\nx += 1\nassert f(x)", [], 1),
    ("for x in [1]:\n    assert f(x)\nelse:\n    assert f(2)", [], 2),
    ("for x in [1]:\n    g(x)\n    assert f(x)", [], 1),
    ("def check(candidate):\n    if g():\n        return\n    assert candidate(1)", [], 1),
    ("g()\ndef check(candidate):\n    assert candidate(1)", [], 1),
    ("@g\ndef check(candidate):\n    assert candidate(1)", [], 1),
    ("def helper(x):\n    assert x\nhelper(f(1))", [], 1),
    ("import f.x as y\nassert y(f(1))", [], 1),
    ("try:\n    assert f(1)\nfinally:\n    pass", [], 1),
]  # fmt: skip


@pytest.mark.parametrize(("code", "calls", "asserts"), STAYS, ids=[code for code, _, _ in STAYS])
def test_what_stays_inside(code: str, calls: list[str], asserts: int) -> None:
    found = asked(code)
    assert found.inside is not None
    assert arguments(found) == calls
    assert len(inside(found)) == asserts


def test_outside_of_check_the_candidate_has_to_be_told() -> None:
    assert (asked("assert candidate(1) != 2").inside or "").startswith("candidate = f\n")
    found = asked("assert candidate(1) != 2", "Solution.two")
    assert (found.inside or "").startswith("candidate = Solution().two\n")
    assert (asked(check("assert candidate(1) != 2")).inside or "").startswith("def check")


def test_code_that_is_too_long_or_too_deep_runs_as_it_is() -> None:
    long = "assert f(1)\n" * 100_000
    assert asked(long) == Rewritten((), long, "f")
    deep = "assert f(" + "+".join("1" * 2500) + ")"
    assert asked(deep) == Rewritten((), deep, "f")


def test_much_code_takes_linear_time() -> None:
    start = time.process_time()
    lines = "".join(f"x{n} = [{n}]\nassert f(x{n}) == {n}\n" for n in range(5_000))
    assert len(asked(lines).cases) == 5_000
    same = "".join(f"x = [{n}]\nassert f(x) == {n}\n" for n in range(5_000))
    assert len(asked(same).cases) == 5_000
    read = "x = 1\n" + "assert f(x) == 1\n" * 10_000
    assert len(asked(read).cases) == 10_000
    assert time.process_time() - start < 30


# Run


PROGRAMS = {
    "adds": "def f(x, y=1):\n    return x + y",
    "adds two": "def f(x, y=2):\n    return x + y",
    "yields": "def f(n):\n    for each in range(n):\n        yield each",
    "yields one more": "def f(n):\n    yield from range(n + 1)",
    "counts its calls": "calls = []\ndef f(*args):\n    calls.append(args)\n    return len(calls)",
    "sorts in place": "def f(values):\n    values.sort()",
    "sorts a copy": "def f(values):\n    return sorted(values)",
    "returns its argument": "def f(x):\n    return x",
    "raises": "def f(*args):\n    raise ValueError",
    "has no f": "def g(x):\n    return x",
    "lies about equality": (
        "class Any:\n    __eq__ = lambda *_: True\n    __iter__ = lambda self: iter([self] * 3)\n"
        "    __len__ = lambda _: 3\n    __getitem__ = lambda self, _: self\n"
        "def f(*args):\n    return Any()"
    ),
}
CODES = {
    "equality": ["assert candidate(1) == 2", "assert candidate(2, 3) == 5"],
    "list": ["assert list(candidate(3)) == [0, 1, 2]"],
    "sum": ["assert sum(candidate(3)) == 3", "assert len(list(candidate(3))) == 3"],
    "sorted": ["assert sorted(candidate([2, 1]), reverse=True) == [2, 1]"],
    "first": ["assert candidate([5, 6])[0] == 5", "assert candidate([5, 6])[-1:] == [6]"],
    "state": ["assert candidate(1) == 1", "assert candidate(1) == 2", "assert candidate(1) == 3"],
    "in place": ["x = [2, 1]", "assert candidate(x) is None", "assert x == [1, 2]"],
    "in place, by itself": ["x = [2, 1]", "candidate(x)", "assert x == [1, 2]"],
    "result": ["r = candidate(1)", "assert r == 2"],
    "loop": ["for n in range(4):", "    assert candidate(n, n) == n + n"],
    "mixed": ["assert candidate(1) == 2", "assert candidate(1) == candidate(1)"],
    "round": ["assert round(candidate(1.25), 1) == 2.2"],
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_verdict_is_that_of_the_plain_asserts(program: str) -> None:
    code = PROGRAMS[program]
    ours = {name: passes(code, "f", asked(check(*lines))) for name, lines in CODES.items()}
    plain = {name: asserts_hold(code, "f", check(*lines)) for name, lines in CODES.items()}
    if program == "lies about equality":
        assert plain["equality"]
        assert plain["list"]
        assert not any(ours.values())
    else:
        assert ours == plain


def test_conversions_run_inside() -> None:
    found = asked(check("assert list(candidate(2)) == [0, 1]", "assert candidate(1) == [0]"))
    assert arguments(found) == ["0, 2", "1, 1"]
    assert "[0, 1]" not in found.appended
    assert found.entry_point in found.appended


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        found = asked(text)
    except ValueError:
        return
    assert found.cases or found.inside is not None
