"""What became of one job in a worker: five typed answers, none of them an exception.

`Done` and `Raised` come from the function itself. The others say how it was stopped: by its own
hunger (`TimedOut`, `OutOfMemory`) or by something that is perhaps not its fault (`Crashed`), so
callers can keep "this job is too expensive" apart from "nothing is known".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from .pickling import ByArguments

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Done(ByArguments, Generic[R]):
    """The function returned."""

    value: R


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised: the exception's class name and its message."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The job used up its CPU seconds (never wall time, so a loaded machine cannot cause it)."""

    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The job asked for more address space than it was allowed."""

    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process died or went silent: a signal, an exit, the memory killer, a deadlock."""

    detail: str


Outcome: TypeAlias = Done[R] | Raised | TimedOut | OutOfMemory | Crashed
