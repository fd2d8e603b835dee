"""What a key asks of a program, as `keys.py` reads it.

`language` and `float_tolerance` are None where the key leaves them to the filter's settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..sandbox.execution import Call
from .values import Expected


@dataclass(frozen=True, slots=True)
class CallCase:
    """The arguments of a call, which go into the sandbox, and its value, which does not."""

    call: Call
    expected: Expected


@dataclass(frozen=True, slots=True)
class CallsCheck:
    """Calls of one function, `entry_point`: a name, or `Class.method`."""

    entry_point: str
    cases: tuple[CallCase, ...]
    language: str | None = None
    float_tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class StdioCase:
    """What a program reads on its standard input and is to write on its standard output."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True)
class StdioCheck:
    """Runs of the whole program. `whitespace` is None where the filter's setting holds."""

    cases: tuple[StdioCase, ...]
    language: str | None = None
    float_tolerance: float | None = None
    whitespace: Literal["lines", "exact"] | None = None


@dataclass(frozen=True, slots=True)
class AssertsCheck:
    """Python code that asserts something of `entry_point`: see `asserts.py`."""

    entry_point: str
    code: str
    language: str | None = None
    float_tolerance: float | None = None


Check = CallsCheck | StdioCheck | AssertsCheck


@dataclass(frozen=True, slots=True)
class UnreadableKey:
    """Why a key is none, and where."""

    detail: str
