"""Takes the asserts out of a block of a key's code, and says what has to stay.

A statement is moved out (its asserts became cases), or it stays without mattering (an import, a
constant, a function), or it stays and matters: then it runs inside. After one whose effect nobody
could tell everything stays.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .assert_forms import Asked, NotRewritable, Reader
from .assert_names import Names, Reads, is_fixed
from .constants import Constants, NotConstant, bound

_MAX_CASES: Final = 10_000
"""Of one statement; a loop that would make more runs inside."""
Case = tuple[Asked, ast.Assert]


@dataclass(slots=True)
class Block:
    """The statements of a module or of `check`.

    Args:
        code: names of the whole code.
        callees: how the candidate is called here, as source text.
        names: constants known so far.
        stopped: whether everything has to stay.
    """

    code: Names
    constants: Constants
    callees: frozenset[str]
    names: dict[str, object] = field(default_factory=dict)
    stopped: bool = False
    matters: bool = False
    """Whether what stays has to run."""
    cases: list[Case] = field(default_factory=list)
    _results: dict[str, ast.expr] = field(default_factory=dict)
    """Names of what calls returned that no assert has asked about yet."""

    def rest(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Read the block; returns the statements that stay."""
        reads = Reads(statements)
        staying = []
        for place, statement in enumerate(statements):
            if not self.stopped:
                if _is_end(statement):
                    break
                if self._moves_out(statement, place, reads):
                    continue
                self._stays(statement, place, reads)
            staying.append(statement)
        self.matters |= self.stopped or bool(self._results)
        return staying

    # What moves out

    def _moves_out(self, statement: ast.stmt, place: int, reads: Reads) -> bool:
        if not isinstance(statement, ast.Assert | ast.For) or not self._spares(
            statement, place, reads
        ):
            return False
        found = self._asserted(statement, self.names, self._results)
        try:
            cases = list(itertools.islice(found, _MAX_CASES + 1))
        except (NotRewritable, NotConstant):
            return False
        if len(cases) > _MAX_CASES:
            return False
        self.cases += cases
        for name in _loaded(statement):
            self._results.pop(name, None)
        return True

    def _spares(self, statement: ast.stmt, place: int, reads: Reads) -> bool:
        """Whether nobody looks again at what a call in there may change."""
        return all(
            reads.last(name, place) and reads.total[name] == self.code.read[name]
            for name in self._changeable(statement)
        )

    def _changeable(self, statement: ast.AST) -> set[str]:
        """Names of lists, dicts and sets that are read."""
        return {
            name
            for name in _loaded(statement)
            if name in self.names and not is_fixed(self.names[name])
        }

    def _asserted(
        self, statement: ast.stmt, names: Mapping[str, object], results: Mapping[str, ast.expr]
    ) -> Iterator[Case]:
        """What an assert, or a loop of asserts, asks."""
        match statement:
            case ast.Assert(test=test):
                if not self._is_true(test, names):
                    for asked in self._reader(names, results).asked(test):
                        yield asked, statement
            case ast.For(body=body, orelse=[]):
                for inner in self._turns(statement, names):
                    for each in body:
                        yield from self._asserted(each, inner, {})
            case _:
                raise NotRewritable(type(statement).__name__)

    def _reader(self, names: Mapping[str, object], results: Mapping[str, ast.expr]) -> Reader:
        return Reader(self.constants, self.callees, names, results)

    def _is_true(self, test: ast.expr, names: Mapping[str, object]) -> bool:
        """`assert True`, as some keys say for no reason."""
        try:
            return bool(self.constants.value(test, names))
        except NotConstant:
            return False

    def _turns(self, loop: ast.For, names: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        """The constants in each turn of a loop."""
        reads = Reads(loop.body)
        around = {name: value for name, value in names.items() if is_fixed(value)}
        for item in self.constants.value(loop.iter, names):
            turn = bound(loop.target, item)
            if not all(is_fixed(turn[name]) or reads.at_most_once(name) for name in turn):
                raise NotRewritable("what a call may have changed is read again")
            yield {**around, **turn}

    # What stays

    def _stays(self, statement: ast.stmt, place: int, reads: Reads) -> None:
        match statement:
            case ast.Assert():
                self.matters = True
                self._forget(self._changeable(statement))
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self._assigned(name, value, place, reads)
            case _ if not _is_inert(statement):
                self.stopped = True

    def _assigned(self, name: str, value: ast.expr, place: int, reads: Reads) -> None:
        self.matters |= self._results.pop(name, None) is not None  # nobody asked about it
        once = reads.once(name, place) and reads.total[name] == self.code.read[name]
        if once and self._spares(ast.Expr(value), place, reads) and self._is_call(value):
            self._results[name] = value
            return
        try:
            constant = self.constants.value(value, self.names)
        except NotConstant:
            self.stopped = True
            return
        parts = self._changeable(value)
        self._forget({name})
        if is_fixed(constant) or not parts:
            self.names[name] = constant
        else:
            self._forget(parts)  # two names of one list, perhaps

    def _is_call(self, value: ast.expr) -> bool:
        return self._reader(self.names, {}).is_call(value)

    def _forget(self, names: set[str]) -> None:
        for name in names:
            self.names.pop(name, None)


def _loaded(statement: ast.AST) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _is_end(statement: ast.stmt) -> bool:
    """What stands behind it is never run."""
    return isinstance(statement, ast.Return) and isinstance(statement.value, ast.Constant | None)


def _is_inert(statement: ast.stmt) -> bool:
    """Whether a statement does nothing that an assert could notice."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Global() | ast.Nonlocal():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return not statement.decorator_list
        case ast.Expr(value=ast.Constant() | ast.Name()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[ast.Name()], keywords=[])):
            return True  # at the end of a code that defines it: it is called anyway
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=args)):
            return not any(isinstance(node, ast.Call) for arg in args for node in ast.walk(arg))
    return False
