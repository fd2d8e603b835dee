"""What became of each call, from what a hostile process wrote about it.

Lines count only in their order, each once, complete, and with `end` behind the last: anything else
was not written by the harness alone, and then nothing of it is believed. Which limit stopped a
process is known from outside and counts first.

    Returned   the call gave a value: the value says nothing yet
    Failed     it gave none, and why: one of the reasons of the `code` filter
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ...pipeline.verdict import Json
from ..sandbox.execution import Ending, Report
from .evidence import beginning
from .wires import MalformedValue, read_wire

STOPPED: Final[dict[Ending, str]] = {
    "cpu": "timeout",
    "wall": "timeout",
    "output": "output_limit",
    "memory": "memory",
}
"""What a limit is called in a verdict."""
_NAME_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Returned:
    """The value of a call, as a wire value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that cannot be passed any more."""

    reason: str
    detail: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallResults:
    """Calls in order, up to the one that `ended` says how the process ended at."""

    calls: list[Returned | Failed]
    ended: Failed | None = None
    """None: every call has its result and the process ended well."""
    hopeless: bool = False
    """The calls behind would end in the same way: the program does not load, or it meddles."""


class _Forged(Exception):
    """The lines are not what the harness alone writes."""


def call_results(report: Report, count: int) -> CallResults:
    """Read what a process that had to make `count` calls wrote."""
    try:
        calls, setup, complete = _read(report.values, count)
    except (_Forged, MalformedValue) as error:
        stopped = _stopped(report) or Failed("protocol_violation", {"detail": str(error)[:200]})
        return CallResults([], stopped, hopeless=True)
    ended = ended_badly(report)
    if report.ending == "output":  # how far it came before it was stopped is a matter of luck
        return CallResults([], ended, hopeless=True)
    if setup is not None:
        return CallResults([], _stopped(report) or setup, hopeless=True)
    if complete and ended is not None:  # after the last value something still went wrong
        return CallResults([], ended, hopeless=True)
    if complete:
        return CallResults(calls)
    # Without `end` it died in a call, and in the last one where all values are there.
    return CallResults(calls[: count - 1], ended or Failed("no_result"))


def _read(written: bytes, count: int) -> tuple[list[Returned | Failed], Failed | None, bool]:
    """The results in order, the failure to load, and whether `end` was told."""
    *lines, torn = written.split(b"\n")
    calls: list[Returned | Failed] = []
    for number, line in enumerate(lines, start=1):
        match _event(line):
            case ["setup", "raised" | "missing" as how, str() as name] if number == 1:
                _nothing_follows(number, lines, torn)
                return [], _not_loaded(how, name), False
            case ["end", told] if _is(told, count) and len(calls) == count:
                _nothing_follows(number, lines, torn)
                return calls, None, True
            case [told, "value", value] if _is(told, len(calls)) and len(calls) < count:
                calls.append(Returned(value))
            case [told, "raised", str() as name] if _is(told, len(calls)) and len(calls) < count:
                calls.append(raised(name))
            case _:
                raise _Forged(f"line {number} is not what should follow")
    return calls, None, False


def _event(line: bytes) -> list[Any]:
    event = read_wire(line)
    if not isinstance(event, list):
        raise _Forged("a line is no event")
    return event


def _is(told: object, number: int) -> bool:
    """`True` is no number."""
    return type(told) is int and told == number


def _nothing_follows(number: int, lines: list[bytes], torn: bytes) -> None:
    if number < len(lines) or torn:
        raise _Forged("something follows the last line")


def _not_loaded(how: str, name: str) -> Failed:
    return raised(name) if how == "raised" else Failed("runtime_error", {"missing": _named(name)})


def raised(name: str) -> Failed:
    """An exception that left the program."""
    reason = "memory" if name == "MemoryError" else "runtime_error"
    return Failed(reason, {"raised": _named(name)})


def _named(name: str) -> str:
    return beginning(name[:_NAME_LENGTH])


def _stopped(report: Report) -> Failed | None:
    reason = STOPPED.get(report.ending)
    return None if reason is None else Failed(reason)


def ended_badly(report: Report) -> Failed | None:
    """How a process ended that did not end well, whatever it wrote."""
    if report.ending == "signal":
        return Failed("runtime_error", {"signal": report.code})
    if report.ending == "exit":
        return Failed("runtime_error", {"exit_status": report.code}) if report.code else None
    return _stopped(report)
