"""The value of an expression in a key's code that is made of literals, without running the code.

`ast.literal_eval` and what tests write beside literals: arithmetic (`2**10`, `[0] * 5`), names of
constants, `float("inf")`, `math.pi`, `list(range(10))`, `sorted(...)`, comprehensions. Keys come
from data sets, so the work that one key may ask for is bounded; what is more, or anything else, is
no constant here and is left to the sandbox.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_BUDGET: Final = 1_000_000
"""Values, characters and 32-bit digits that may come up while the constants of a key are read."""
_MAX_BITS: Final = 100_000
"""Of an integer."""
_MAX_PLACES: Final = 300
"""That `round` may be asked for: it makes a power of ten of that size."""


class NotConstant(Exception):
    """An expression has no value that could be told without running it."""


class Constants:
    """Reads expressions of one key.

    Args:
        shadowed: names that the code binds, which therefore are no builtins.
    """

    def __init__(self, shadowed: frozenset[str]) -> None:
        self.shadowed = shadowed
        self._left = _BUDGET

    def value(self, node: ast.expr, names: Mapping[str, object]) -> Any:
        """The value of an expression, given the constants that it may name.

        Raises:
            NotConstant: it is no constant expression, or a costly one.
            RecursionError: it is nested too deeply.
        """
        try:
            value = self._read(node, names)
        except (ArithmeticError, TypeError, ValueError, LookupError) as error:
            raise NotConstant(f"{type(error).__name__}: {error}") from error
        self._pay(_size(value, self._left) if isinstance(node, _MANY) else 1)
        return value

    def _read(self, node: ast.expr, names: Mapping[str, object]) -> Any:
        match node:
            case ast.Constant(value=value) if value is not ...:
                return value
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return _DISPLAYS[type(node)](self.value(each, names) for each in items)
            case ast.Dict(keys=keys, values=values):
                return {
                    self._key(key, names): self.value(value, names)
                    for key, value in zip(keys, values, strict=True)
                }
            case ast.UnaryOp(op=unary, operand=operand):
                return _UNARY[type(unary)](self.value(operand, names))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(type(op), self.value(left, names), self.value(right, names))
        return self._of_names(node, names)

    def _of_names(self, node: ast.expr, names: Mapping[str, object]) -> Any:
        """Calls and loops."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return _COMPARISONS[type(op)](self.value(left, names), self.value(right, names))
            case ast.BoolOp(op=ast.And(), values=[*first, last]):
                for each in first:
                    if not (value := self.value(each, names)):
                        return value
                return self.value(last, names)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if self._is_builtin(name):
                return _FUNCTIONS[name](*[self.value(each, names) for each in args])
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if self._is_math(name):
                return _MATH[name]
            case ast.ListComp(elt=element, generators=[loop]):
                return [self.value(element, inner) for inner in self._loop(loop, names)]
            case ast.GeneratorExp(elt=element, generators=[loop]):
                return [self.value(element, inner) for inner in self._loop(loop, names)]
        raise NotConstant(type(node).__name__)

    def _is_builtin(self, name: str) -> bool:
        return name in _FUNCTIONS and name not in self.shadowed

    def _is_math(self, name: str) -> bool:
        return name in _MATH and "math" not in self.shadowed

    def _key(self, node: ast.expr | None, names: Mapping[str, object]) -> Any:
        if node is None:
            raise NotConstant("**")
        return self.value(node, names)

    def _loop(
        self, loop: ast.comprehension, names: Mapping[str, object]
    ) -> Iterator[Mapping[str, object]]:
        for item in self.value(loop.iter, names):
            inner = {**names, **bound(loop.target, item)}
            if all(self.value(test, inner) for test in loop.ifs):
                yield inner

    def _binary(self, op: type[ast.operator], left: Any, right: Any) -> Any:
        if op is ast.Mult and isinstance(left, int):
            left, right = right, left
        if isinstance(left, int) and isinstance(right, int):
            _bounded(_bits(op, left, right))
        elif op is ast.Mult and isinstance(left, _SEQUENCES) and isinstance(right, int):
            self._afford(_size(left, self._left) * right)
        elif not isinstance(left, int | float | complex) and op is not ast.Add:
            raise NotConstant(f"{op.__name__} of {type(left).__name__}")
        return _BINARY[op](left, right)

    def _afford(self, cost: int) -> None:
        if cost > self._left:
            raise NotConstant("too large")

    def _pay(self, cost: int) -> None:
        self._afford(cost)
        self._left -= cost


def bound(target: ast.expr, item: Any) -> dict[str, object]:
    """The names that a loop binds when it comes to an item.

    Raises:
        NotConstant: the target is more than names, or the item does not fit.
    """
    if isinstance(target, ast.Name):
        return {target.id: item}
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(item, list | tuple | str):
        raise NotConstant("a loop that binds something else than names")
    if len(target.elts) != len(item):
        raise NotConstant(f"a loop that unpacks {len(item)} items to {len(target.elts)}")
    pairs = [bound(each, part) for each, part in zip(target.elts, item, strict=True)]
    return {name: value for each in pairs for name, value in each.items()}


def _bits(op: type[ast.operator], left: int, right: int) -> int:
    """Size of the result, at most."""
    if op is ast.Pow:
        return left.bit_length() * right
    if op is ast.LShift:
        return left.bit_length() + right
    return left.bit_length() + right.bit_length()


def _bounded(bits: int) -> None:
    if bits > _MAX_BITS:
        raise NotConstant("a number too large")


def _size(value: object, enough: int) -> int:
    """What a value takes when it is written out; counting stops beyond `enough`."""
    size, open_ = 0, [value]
    while open_ and size <= enough:
        value = open_.pop()
        size += 1
        if isinstance(value, str | bytes | range):
            size += len(value)
        elif isinstance(value, int):
            size += value.bit_length() >> 5
        elif isinstance(value, dict):
            open_ += [*value, *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            open_ += value
    return size


def _round(number: int | float, places: int | None = None) -> int | float:
    if places is not None and abs(places) > _MAX_PLACES:
        raise NotConstant("places of round")
    return round(number, places)


_MANY: Final = (ast.Name, ast.BinOp, ast.Call, ast.Constant)
"""Nodes whose value may be larger than the parts that have been paid for."""
_SEQUENCES: Final = (str, bytes, list, tuple)
_DISPLAYS: Final[dict[type[ast.expr], Callable[[Any], Any]]] = {
    ast.List: list,
    ast.Tuple: tuple,
    ast.Set: set,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.inv,
    ast.Not: operator.not_,
}
_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MATH: Final = {name: getattr(math, name) for name in ("e", "inf", "nan", "pi", "tau")}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "bool": bool,
    "complex": complex,
    "dict": dict,
    "enumerate": lambda values: list(enumerate(values)),
    "float": float,
    "frozenset": frozenset,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "range": range,
    "round": _round,
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": lambda values: sum(values),
    "tuple": tuple,
    "zip": lambda *values: list(zip(*values, strict=False)),
}
