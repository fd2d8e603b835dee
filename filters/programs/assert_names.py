"""Which names a key's code binds and reads, and where.

Who takes an assert out of the code that it stands in has to know that nothing else depended on it:
a list that the candidate was given may have been changed by it, and a result may be asked twice.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

_REPEATED: Final = (
    ast.While,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Lambda,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
)
"""What may evaluate a part of it more than once. The body of a `for` as well."""
_LATE: Final = 2
"""Weight of what may be read more than once."""


class Names:
    """Names of a whole code: how often each is bound and read, and which attributes are read."""

    def __init__(self, tree: ast.AST) -> None:
        self.bound: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        self.attributes: set[str] = set()
        for node in ast.walk(tree):
            self.bound.update(_bound_by(node))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.read[node.id] += 1
            elif isinstance(node, ast.Attribute):
                self.attributes.add(node.attr)


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Names that a node binds; `import math` binds what the name means anyway."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case (
            ast.arg(arg=name) | ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name)
        ):
            yield name
        case ast.ExceptHandler(name=str() as name) | ast.MatchMapping(rest=str() as name):
            yield name
        case ast.alias(name="math", asname=None):
            return
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]


class Reads:
    """When the statements of one block bind and read names."""

    def __init__(self, block: Sequence[ast.stmt]) -> None:
        self.total: Counter[str] = Counter()
        self._events: dict[str, list[tuple[int, int]]] = defaultdict(list)
        """Place and weight of every read, and 0 as the weight of what binds."""
        for place, statement in enumerate(block):
            binds: list[str] = []
            for node, weight in _weighted(statement):
                binds += _bound_by(node)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self.total[node.id] += 1
                    self._events[node.id].append((place, weight))
            for name in binds:
                self._events[name].append((place, 0))

    def once(self, name: str, place: int) -> bool:
        """Whether what the statement at `place` binds is read once before it is bound again."""
        events = self._events[name]
        start = bisect_right(events, place, key=itemgetter(0))
        weights = [weight for _, weight in events[start : start + 2]]
        return weights in ([1], [1, 0])

    def last(self, name: str, place: int) -> bool:
        """Whether the statement at `place` reads a name once, and none does until it is bound."""
        events = self._events[name]
        start = bisect_left(events, place, key=itemgetter(0))
        after = events[start : start + 2]
        return after[:1] == [(place, 1)] and (len(after) == 1 or after[1][1] == 0)

    def at_most_once(self, name: str) -> bool:
        """Whether the whole block reads a name no more than once."""
        return sum(weight for _, weight in self._events[name]) <= 1


def _weighted(statement: ast.stmt) -> Iterator[tuple[ast.AST, int]]:
    """The nodes of a statement, each with 1, or 2 if it may be evaluated more than once."""
    open_: list[tuple[ast.AST, int]] = [(statement, 1)]
    while open_:
        node, weight = open_.pop()
        yield node, weight
        inner = _LATE if isinstance(node, _REPEATED) else weight
        if isinstance(node, ast.For):
            open_ += [(node.iter, weight), (node.target, weight)]
            open_ += [(each, _LATE) for each in [*node.body, *node.orelse]]
        else:
            open_ += [(each, inner) for each in ast.iter_child_nodes(node)]


def bound_at_top(block: Sequence[ast.stmt]) -> Counter[str]:
    """Names that the statements bind in the scope that they stand in."""
    found: Counter[str] = Counter()
    open_: list[ast.AST] = list(block)
    while open_:
        node = open_.pop()
        found.update(_bound_by(node))
        if not isinstance(node, (*_REPEATED[1:], ast.ClassDef)):
            open_ += ast.iter_child_nodes(node)
    return found


def is_fixed(value: object) -> bool:
    """Whether nobody who is given a value can change it."""
    if isinstance(value, tuple | frozenset):
        return all(map(is_fixed, value))
    return not isinstance(value, list | dict | set | bytearray)
