"""A program that answers exactly what a key expects, to ask whether the key can be met at all.

It is a table from arguments, or from standard input, to answers. A key that expects two answers to
the same question, or a value that does not come back equal, is found by running it: the judge then
does not accept the key's own answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from ..sandbox.execution import Call
from .asserts import rewritten
from .checks import AssertsCheck, Check, StdioCheck
from .language_tags import language_of
from .values import shown
from .wires import Plain, read_wire

_CALLS: Final = """\
_ANSWERS = [
{rows}]
_TABLE = {{repr((args, kwargs)): answer for args, kwargs, answer in _ANSWERS}}


{function}
"""
_FUNCTION: Final = """\
def {name}(*args, **kwargs):
    return _TABLE[repr((args, kwargs))]"""
_METHOD: Final = """\
class {owner}:
    def {name}(self, *args, **kwargs):
        return _TABLE[repr((args, kwargs))]"""
_PRINTS: Final = """\
import sys

_TABLE = {{
{rows}}}
sys.stdout.buffer.write(_TABLE[sys.stdin.buffer.read()])
"""


def accepting_program(check: Check) -> str | None:
    """A Python program that gives what the key expects.

    None where none can be told from the key: it asks for another language, or asserts something
    that is not a plain question about a value.
    """
    if check.language is not None and language_of(check.language) != "python":
        return None
    if isinstance(check, StdioCheck):
        printed = {case.stdin: case.stdout for case in check.cases}
        rows = "".join(f"    {_bytes(given)}: {_bytes(told)},\n" for given, told in printed.items())
        return _PRINTS.format(rows=rows)
    if not isinstance(check, AssertsCheck):
        return _table(check.entry_point, ((case.call, case.expected.value) for case in check.cases))
    asked = rewritten(check)
    if asked.inside is not None or asked.appended:
        return None
    cases = [(case.call, case.condition.example()) for case in asked.cases]
    return _table(check.entry_point, cases)


def _bytes(text: str) -> str:
    return repr(text.encode())


def _table(entry_point: str, cases: Iterable[tuple[Call, Plain]]) -> str:
    rows = "".join(f"    ({_arguments(call)}, {shown(answer)}),\n" for call, answer in cases)
    owner, _, name = entry_point.rpartition(".")
    form = _METHOD if owner else _FUNCTION
    return _CALLS.format(rows=rows, function=form.format(owner=owner, name=name))


def _arguments(call: Call) -> str:
    """The positional and the named arguments as Python source."""
    named = ", ".join(f"{name!r}: {_source(value)}" for name, value in (call.kwargs or {}).items())
    return f"{shown(tuple(map(_plain, call.args)))}, {{{named}}}"


def _source(wire: Any) -> str:
    return shown(_plain(wire))


def _plain(wire: Any) -> Plain:
    return read_wire(json.dumps(wire))
