"""What a sandbox is asked and what it answers: the contract that all backends share.

An `Execution` is one process: a program, and what it is to do (`Calls`, `Script` or `Asserts`). It
holds inputs and never an expected value. A `Report` says how that process ended and holds what it
wrote, as hostile bytes: nothing in it has been parsed. What a report means for a verdict is decided
in `filters/programs/`, outside of any sandbox.

Values travel as *wire* values, JSON that keeps Python's types apart:

    None, True, False, "text", [list], integers below 2**53     as they are
    {"int": "-0x1f…"}  {"float": "0x1.8p+1" | "nan" | "inf"}  {"complex": [float, float]}
    {"tuple": […]}  {"set": […]}  {"frozenset": […]}  {"dict": [[key, value], …]}
    {"bytes": "00ff"}  {"bytearray": "00ff"}
    {"other": "module.Class"}                                   no value; equal to nothing

Floats are `float.hex()`. A subclass is its base type's value (a Counter is a dict), read with the
base type's own methods. Deeper than 64 levels is `{"other": "nested too deeply"}`.

`Report.values` is one JSON line per event, from Python tasks only:

    ["setup", "raised", "SyntaxError"]      the program did not load: nothing else follows
    ["setup", "missing", "solve"]           it loaded and defines no such entry point
    [0, "value", WIRE]                      call 0 returned
    [1, "raised", "ValueError"]             call 1 raised; the calls after it still run
    ["end", 2]                              all was done: the number of calls

`Asserts` count as one call, whose value is true if the check ran through. A `Script` writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, Self

Ending = Literal["exit", "signal", "cpu", "wall", "output", "memory"]
"""exit and signal: by itself. The others: stopped at a limit, whichever killer came first."""

MAX_DEPTH: Final = 64
"""Levels of nesting that a wire value may have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use. Wall seconds are a net for sleepers: CPU time decides."""

    cpu_seconds: int = 5
    wall_seconds: float = 20.0
    memory_mb: int = 512
    output_kb: int = 256
    """Of each of stdout, stderr and the values."""


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments as wire values."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """Load the program as a module, then call `entry_point` with each, in one process.

    `entry_point` is a name, or `Class.method`: the class is made anew for every call.
    """

    entry_point: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Run the program as `__main__` with this on its standard input."""

    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Asserts:
    """Load the program, then run `check` beside it: the program could meddle with the result.

    `check` sees the program's names. Where it defines `check(candidate)`, that is called with the
    entry point, as in HumanEval.
    """

    entry_point: str
    check: str


Task = Calls | Script | Asserts


@dataclass(frozen=True, slots=True)
class Execution:
    """One process to run."""

    code: str
    task: Task
    language: str = "python"
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Report:
    """How a process ended and what it wrote; each stream is cut at the output limit."""

    ending: Ending
    code: int = 0
    """Exit status, or the number of the signal; 0 where a limit ended it."""
    stdout: bytes = b""
    stderr: bytes = b""
    values: bytes = b""


class SandboxFault(Exception):
    """The sandbox failed, not the program: says how. Never counted against anybody."""


class RunnerMissing(Exception):
    """This backend cannot run that language or task here: names what is missing."""


class Sandbox(Protocol):
    """A backend, used by one thread."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def close(self) -> None:
        """Throw the present isolation away, as after a program that broke the protocol."""
        ...

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run one process to its end.

        Args:
            alone: in an isolation made for it and thrown away after it, instead of a warm one.

        Raises:
            SandboxFault: the sandbox failed.
            RunnerMissing: the language or the task cannot be run here.
        """
        ...
