"""Reads one assert as a call of the candidate, what is done to its value, and what it must be.

    assert sorted(candidate([2, 1])) == [1, 2]
           │      call     with constants      │
           └ conversion: inside, by the rules  └ condition: outside

A conversion takes the value and constants for places only, so what comes out is a value that the
program answers for like one it returned; it runs inside because only there generators and other
objects can be read. Whatever holds something of the expected value stays outside.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..sandbox.execution import Call
from .conditions import Compares, Condition, Equals, IsClose, OneOf, Order, Truth
from .constants import Constants, NotConstant
from .values import from_literal
from .wires import wire

HOLE: Final = ast.Name("value", ast.Load())
"""What a conversion is done to."""
UNCHANGED: Final = "value"
"""The conversion that is none."""
_CONVERSIONS: Final = (
    *("abs", "bool", "float", "int", "len", "max", "min", "round", "str", "sum"),
    *("dict", "frozenset", "list", "set", "sorted", "tuple"),
)
_ORDERS: Final[dict[type[ast.cmpop], Order]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class NotRewritable(Exception):
    """An assert is of no form that is known here."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an assert asks. `conversion` is an expression of `value`: of what the call returned."""

    call: Call
    conversion: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads asserts at one place of a key.

    Args:
        callees: how the candidate is called, as source text.
        names: constants that may be named.
        results: names of values that the candidate returned, with the expression that called it.
    """

    constants: Constants
    callees: frozenset[str]
    names: Mapping[str, object]
    results: Mapping[str, ast.expr]

    def asked(self, test: ast.expr) -> list[Asked]:
        """What the assert of an expression asks: one thing, or one for each part of an `and`.

        Raises:
            NotRewritable: it is of another form.
        """
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return [each for part in test.values for each in self.asked(part)]
        try:
            return [self._asked(test)]
        except (NotConstant, ValueError) as error:  # ValueError: a value that has no wire form
            raise NotRewritable(str(error)) from error

    def is_call(self, node: ast.expr) -> bool:
        """Whether an expression is a call of the candidate with constants."""
        try:
            self._value(node)
        except (NotRewritable, NotConstant, ValueError):
            return False
        return True

    def _asked(self, test: ast.expr) -> Asked:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._that(operand, Truth(False))
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                return self._either(left, right, self._equals)
            case ast.Compare(
                left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None | bool()) as right]
            ):
                return self._that(left, self._equals(right))
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
                return self._that(left, self._one_of(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _ORDERS:
                return self._ordered(left, _ORDERS[type(op)], self._number(right))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr="isclose")) if (
                "math" not in self.constants.shadowed
            ):
                return self._is_close(test)
        return self._that(test, Truth(True))

    def _that(self, node: ast.expr, condition: Condition) -> Asked:
        call, conversion = self._value(node)
        return Asked(call, ast.unparse(conversion), condition)

    def _either(
        self, left: ast.expr, right: ast.expr, condition: Callable[[ast.expr], Condition]
    ) -> Asked:
        """Whichever side is the constant."""
        try:
            return self._that(left, condition(right))
        except (NotConstant, NotRewritable):
            return self._that(right, condition(left))

    # Conditions

    def _constant(self, node: ast.expr) -> Any:
        return self.constants.value(node, self.names)

    def _number(self, node: ast.expr) -> int | float:
        number = self._constant(node)
        if type(number) not in (int, float):
            raise NotRewritable("a limit that is no number")
        return number  # type: ignore[no-any-return]

    def _equals(self, node: ast.expr) -> Equals:
        return Equals(from_literal(self._constant(node)))

    def _one_of(self, node: ast.expr) -> OneOf:
        options = self._constant(node)
        if not isinstance(options, list | tuple | set | frozenset) or not options:
            raise NotRewritable("`in` something else than a list, a tuple or a set")
        return OneOf(tuple(map(from_literal, options)))

    def _ordered(self, left: ast.expr, order: Order, limit: int | float) -> Asked:
        match left:
            case ast.Call(
                func=ast.Name(id="abs") | ast.Attribute(value=ast.Name(id="math"), attr="fabs"),
                args=[ast.BinOp(left=one, op=ast.Sub(), right=other)],
                keywords=[],
            ) if order in ("<", "<=") and not self.constants.shadowed & {"abs", "math"}:
                return self._either(
                    one, other, lambda node: Compares(order, limit, self._number(node))
                )
        return self._that(left, Compares(order, limit))

    def _is_close(self, test: ast.Call) -> Asked:
        allowed = {keyword.arg: self._number(keyword.value) for keyword in test.keywords}
        if len(test.args) != 2 or not allowed.keys() <= {"rel_tol", "abs_tol"}:
            raise NotRewritable("math.isclose with other arguments")
        if not all(tolerance >= 0 for tolerance in allowed.values()):
            raise NotRewritable("math.isclose with a negative tolerance")
        one, other = test.args
        return self._either(
            one,
            other,
            lambda node: IsClose(self._number(node), **{str(k): v for k, v in allowed.items()}),
        )

    # The call and what is done to its value

    def _value(self, node: ast.expr) -> tuple[Call, ast.expr]:
        match node:
            case ast.Name(id=name) if name in self.results:
                return self._value(self.results[name])
            case ast.Call(func=ast.Name() | ast.Attribute()) if self._is_candidate(node.func):
                return self._call(node), HOLE
            case ast.Call(func=ast.Name(), args=[inner, *more]) if self._converts(node):
                call, done = self._value(inner)
                return call, ast.Call(node.func, [done, *more], node.keywords)
            case ast.Subscript(value=inner, slice=place) if _is_place(place):
                call, done = self._value(inner)
                return call, ast.Subscript(done, place, ast.Load())
        raise NotRewritable(type(node).__name__)

    def _is_candidate(self, function: ast.expr) -> bool:
        return ast.unparse(function) in self.callees

    def _converts(self, node: ast.Call) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="round" as name), args=[_, digits], keywords=[]):
                known = _is_place(digits)
            case ast.Call(
                func=ast.Name(id="sorted" as name),
                args=[_],
                keywords=[ast.keyword(arg="reverse", value=ast.Constant())],
            ):
                known = True
            case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]):
                known = name in _CONVERSIONS
            case _:
                return False
        return known and name not in self.constants.shadowed

    def _call(self, node: ast.Call) -> Call:
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args += self._constant(arg.value)
            else:
                args.append(self._constant(arg))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self._constant(keyword.value)
            kwargs |= value if keyword.arg is None else {keyword.arg: value}
        sent = {name: wire(value) for name, value in kwargs.items()}
        return Call(tuple(map(wire, args)), sent or None)


def _is_place(node: ast.expr | None) -> bool:
    """A small constant: an index, a key, a slice, a number of digits."""
    match node:
        case None | ast.Constant(value=int() | str()):
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return True
        case ast.Slice(lower=lower, upper=upper, step=step):
            return _is_place(lower) and _is_place(upper) and _is_place(step)
    return False
