"""HumanEval's problems, their canonical solutions, and a wrong version of each.

A mutant is one small change to the solution's syntax tree. Which of its mutants is wrong is asked
of the original asserts, run plainly in a process of their own: nothing of our judge takes part.
The first that they refute is taken, beginning at another kind of change for every problem; one that
never ends is passed over, for the time that it takes.
"""

from __future__ import annotations

import ast
import copy
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "HumanEval.jsonl.gz"
SECONDS = 2
_SWAPS: dict[type[ast.AST], Any] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Problem:
    """A problem of HumanEval; `solution` is the whole program."""

    task: str
    entry_point: str
    solution: str
    test: str

    def key(self) -> str:
        """Its key as a row of potstill has it."""
        asked = {"kind": "asserts", "entry_point": self.entry_point, "code": self.test}
        return json.dumps(asked)


@cache
def problems() -> tuple[Problem, ...]:
    """All 164."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return tuple(
        Problem(
            row["task_id"],
            row["entry_point"],
            row["prompt"] + row["canonical_solution"],
            row["test"],
        )
        for row in rows
    )


def is_right(problem: Problem, program: str) -> bool | None:
    """Whether the original asserts run through, in a plain process; None: it did not end."""
    code = f"{program}\n\n{problem.test}\n\ncheck({problem.entry_point})\n"
    command = [sys.executable, "-I", "-c", code]
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return None


def wrong_version(problem: Problem, first: int) -> tuple[str, str]:
    """(kind of change, program) of the first mutant that the asserts refute."""
    kinds = list(CHANGES)
    for kind in kinds[first % len(kinds) :] + kinds[: first % len(kinds)]:
        for mutant in mutants_of(problem, kind):
            if is_right(problem, mutant) is False:
                return kind, mutant
    raise AssertionError(f"no mutant of {problem.task} is wrong")


def mutants_of(problem: Problem, kind: str) -> Iterator[str]:
    """Every program that one change of a kind makes."""
    kinds_of_node, change = CHANGES[kind]
    tree = ast.parse(problem.solution)
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, kinds_of_node):
            changed = copy.deepcopy(tree)
            if change(list(ast.walk(changed))[number]):
                yield ast.unparse(ast.fix_missing_locations(changed))


def _compared(node: ast.Compare) -> bool:
    swapped = _SWAPS.get(type(node.ops[0]))
    node.ops[0] = swapped() if swapped else node.ops[0]
    return swapped is not None


def _computed(node: ast.BinOp | ast.AugAssign | ast.BoolOp) -> bool:
    swapped = _SWAPS.get(type(node.op))
    node.op = swapped() if swapped else node.op
    return swapped is not None


def _more(node: ast.Constant) -> bool:
    if type(node.value) is bool:
        node.value = not node.value
    elif type(node.value) is int:
        node.value += 1
    return type(node.value) in (bool, int)


def _less(node: ast.Constant) -> bool:
    if type(node.value) is int:
        node.value -= 1
    return type(node.value) is int


def _negated(node: ast.If | ast.While | ast.IfExp) -> bool:
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return True


def _dropped(node: Any) -> bool:
    places = [n for n, each in enumerate(node.body) if isinstance(each, ast.Assign | ast.AugAssign)]
    if places:
        node.body[places[-1]] = ast.Pass()
    return bool(places)


def _wrapped(node: ast.Return) -> bool:
    if node.value is not None:
        node.value = ast.Tuple([node.value], ast.Load())
    return node.value is not None


CHANGES: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "comparison": (ast.Compare, _compared),
    "operator": (ast.BinOp | ast.AugAssign | ast.BoolOp, _computed),
    "constant + 1": (ast.Constant, _more),
    "constant - 1": (ast.Constant, _less),
    "negated condition": (ast.If | ast.While | ast.IfExp, _negated),
    "dropped statement": (ast.FunctionDef | ast.For | ast.If | ast.While, _dropped),
    "returned in a tuple": (ast.Return, _wrapped),
}
