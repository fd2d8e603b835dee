# check: calls
from __future__ import annotations

import enum
import typing
from collections import namedtuple
from dataclasses import dataclass, field


@dataclass(order=True)
class Pair:
    a: int
    b: int = 0
    rest: list[int] = field(default_factory=list)


class Sign(enum.IntEnum):
    PLUS = 1


class Typed(typing.NamedTuple):
    total: int


Named = namedtuple("Named", "total")


def solve(a: int, b: int) -> int:
    typing.get_type_hints(Pair)
    pair = Pair(a, b)
    return Named(Typed(pair.a + pair.b * Sign.PLUS).total).total
