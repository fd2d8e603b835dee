"""The asserts of a key as calls whose values are judged outside, as far as they can be.

    def check(candidate):
        assert candidate([1, 2]) == 3                → a call; 3 stays outside
        for n in range(3):
            assert candidate([n]) == n               → three calls
        assert candidate(a()) == candidate(b())      → runs inside, beside the program

`assert_forms.py` says which asserts are known. One that is not runs inside, and with it all that
follows a statement whose effect nobody could tell (a call, an assignment of no constant, a loop
that cannot be unrolled): no assert is dropped. What runs inside the program could meddle with, so
it is only the rest. The calls come in the order of the asserts, but before the rest.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from ..sandbox.execution import Call
from .assert_blocks import Block, Case
from .assert_forms import UNCHANGED
from .assert_names import Names
from .assert_sense import must_ask
from .checks import AssertsCheck
from .conditions import Condition
from .constants import Constants
from .wires import Plain

_MAX_CODE: Final = 1_000_000
"""Characters of code that are taken apart; longer code runs inside as it is."""
_GUARDS: Final = ("__name__ == '__main__'", "'__main__' == __name__")
_CONVERTED: Final = "_potstill_converted"
"""Name of the function behind the program that converts what its entry point returns."""


@dataclass(frozen=True, slots=True)
class AssertCase:
    """One assert: a call, what its value has to be, and the text of the assert."""

    call: Call
    condition: Condition
    source: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The asserts of a key.

    The cases are to be run as `Calls(entry_point, …)` of the program with `appended` behind it, and
    `inside`, where something is left, as `Asserts` of the key's own entry point.
    """

    cases: tuple[AssertCase, ...]
    inside: str | None
    entry_point: str
    appended: str = ""


def holds(case: AssertCase, got: Plain, float_tolerance: float = 0.0) -> bool:
    """Whether the value that a call gave is what the assert asks for."""
    return case.condition.met_by(got, float_tolerance)


@lru_cache(maxsize=16)
def rewritten(check: AssertsCheck) -> Rewritten:
    """Take the asserts of a key apart.

    Raises:
        ValueError: the code is no Python, asserts nothing, or asserts where nothing calls it.
    """
    as_it_is = Rewritten((), check.code, check.entry_point)
    try:
        tree = _parsed(check.code)
        return as_it_is if len(check.code) > _MAX_CODE else _taken_apart(check.entry_point, tree)
    except RecursionError:
        return as_it_is


def _parsed(code: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the style of the key
            tree = ast.parse(code)
    except SyntaxError as error:
        raise ValueError(f"code: {error.msg}, line {error.lineno}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"code: no Python that can be read: {type(error).__name__}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.msg = None  # says something only of a program that failed
    tree.body = [inner for each in tree.body for inner in _unguarded(each)]
    return tree


def _unguarded(statement: ast.stmt) -> list[ast.stmt]:
    """`if __name__ == "__main__"`: a key is what is run."""
    if isinstance(statement, ast.If) and ast.unparse(statement.test) in _GUARDS:
        return statement.body
    return [statement]


def _taken_apart(entry_point: str, tree: ast.Module) -> Rewritten:
    names = Names(tree)
    check = must_ask(entry_point, tree, names)
    own = check.args.args[0].arg if check else ""
    called = entry_point.replace(".", "().")
    if any(names.bound[name] > (name == own) for name in (entry_point.partition(".")[0], own)):
        # Something else goes by the candidate's name somewhere: which is meant where is not asked.
        return Rewritten((), _text(tree.body, names, called), entry_point)
    constants = Constants(frozenset(names.bound))
    callees = frozenset(each for each in ("candidate", called) if not names.bound[each])
    outer = Block(names, constants, callees)
    staying = outer.rest(tree.body)
    inner = Block(names, constants, callees | {own}, outer.names, outer.stopped)
    if check:
        check.body = inner.rest(check.body) or [ast.Pass()]
    inside = _text(staying, names, called) if outer.matters or inner.matters else None
    return _as_calls(outer.cases + inner.cases, inside, entry_point, called)


def _text(statements: list[ast.stmt], names: Names, called: str) -> str:
    """Code that can be run; outside of `check` nothing else says what the candidate is."""
    text = ast.unparse(ast.Module(statements, []))
    unbound = names.read["candidate"] and not names.bound["candidate"]
    return f"candidate = {called}\n{text}" if unbound else text


def _as_calls(
    found: Sequence[Case], inside: str | None, entry_point: str, called: str
) -> Rewritten:
    """With conversions, the first argument of a call says which: `value` of what is returned."""
    sources = {id(statement): ast.unparse(statement) for _, statement in found}
    conversions = sorted({asked.conversion for asked, _ in found})
    converting = conversions not in ([], [UNCHANGED])
    cases = []
    for asked, statement in found:
        args = (conversions.index(asked.conversion), *asked.call.args)
        call = replace(asked.call, args=args) if converting else asked.call
        cases.append(AssertCase(call, asked.condition, sources[id(statement)]))
    if not converting:
        return Rewritten(tuple(cases), inside, entry_point)
    return Rewritten(tuple(cases), inside, _CONVERTED, _converting(conversions, called))


def _converting(conversions: Sequence[str], called: str) -> str:
    """A function that calls the entry point and converts what it returns."""
    listed = "".join(f"    lambda value: {each},\n" for each in conversions)
    return (
        f"\n\n{_CONVERTED}_by = [\n{listed}]\n\n\n"
        f"def {_CONVERTED}(_which, /, *args, **kwargs):\n"
        f"    return {_CONVERTED}_by[_which]({called}(*args, **kwargs))\n"
    )
