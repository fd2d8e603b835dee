"""Reads a sample's `answer` as the key of a code problem.

    {"kind": "calls", "entry_point": "add", "cases": [{"args": [1, 2], "expected": 3}]}
    {"kind": "stdio", "cases": [{"stdin": "1 2\\n", "stdout": "3\\n"}]}
    {"kind": "asserts", "entry_point": "add", "code": "assert add(1, 2) == 3"}

Any of them may have `language` and `float_tolerance` (from 0, below 1), and stdio `whitespace`; a
case may have `kwargs` and leave out `args`, `kwargs` or `stdin`, but never what is expected, where
`null` is a value. `entry_point` is a name or `Class.method` (also written `Class().method`).
A key is read strictly: a field that nobody knows, a name twice in an object, or no case at all
make it unreadable, since a key that was read halfway would judge something else. `NaN`, `Infinity`
and `-Infinity` are numbers, as Python's `json` writes them; `1e400` and integers of more than 4,300
digits are refused.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections import Counter
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..sandbox.execution import MAX_DEPTH, Call
from .asserts import rewritten
from .checks import AssertsCheck, CallCase, CallsCheck, Check, StdioCase, StdioCheck, UnreadableKey
from .language_tags import language_of
from .values import from_json
from .wires import nesting, wire

_MAX_CHARACTERS: Final = 1 << 26
"""Of a key: the largest of competition problems have some ten million."""
_TOLD: Final = 3
"""Mistakes of a key that are told."""
_ENTRY: Final = re.compile(r"(?P<owner>\w++)(?P<made>\(\))?\.(?P<method>\w++)|\w++")


def read_key(answer: str) -> Check | UnreadableKey:
    """What the key asks, or why it cannot be read, and where. Never raises."""
    if len(answer) > _MAX_CHARACTERS:
        return UnreadableKey(f"{len(answer):,} characters, expected at most {_MAX_CHARACTERS:,}")
    try:
        return _check(_KEY.validate_python(_json(answer)))
    except ValidationError as error:
        return UnreadableKey(_mistakes(error))
    except ValueError as error:
        return UnreadableKey(str(error))


def _json(text: str) -> Any:
    if nesting(text) > MAX_DEPTH + 8:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice[:80]!r} stands twice in one object")
    return found


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise ValueError(f"an integer of {len(digits):,} digits, expected at most 4,300") from error


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is beyond all floats; infinity is written Infinity")
    return number


# The forms


def _an_entry_point(name: str) -> str:
    form = _ENTRY.fullmatch(name)
    parts = [form["owner"], form["method"]] if form and form["method"] else [name]
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        raise ValueError(f"{name[:80]!r} is no name of a function and no Class.method")
    return ".".join(parts)


def _text(text: str) -> str:
    text.encode()  # what no stream could carry, half a surrogate pair, raises a ValueError
    return text


_EntryPoint = Annotated[str, AfterValidator(_an_entry_point)]
_Text = Annotated[str, AfterValidator(_text)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Key(_Strict):
    language: str | None = Field(default=None, min_length=1)
    float_tolerance: float | None = Field(default=None, ge=0, lt=1)

    def shared(self) -> dict[str, Any]:
        return {"language": self.language, "float_tolerance": self.float_tolerance}


class _CallCase(_Strict):
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    expected: Any


class _Calls(_Key):
    kind: Literal["calls"]
    entry_point: _EntryPoint
    cases: list[_CallCase] = Field(min_length=1)


class _StdioCase(_Strict):
    stdin: _Text = ""
    stdout: _Text


class _Stdio(_Key):
    kind: Literal["stdio"]
    cases: list[_StdioCase] = Field(min_length=1)
    whitespace: Literal["lines", "exact"] | None = None


class _Asserts(_Key):
    kind: Literal["asserts"]
    entry_point: _EntryPoint
    code: str


_KEY: Final[TypeAdapter[_Calls | _Stdio | _Asserts]] = TypeAdapter(
    Annotated[_Calls | _Stdio | _Asserts, Field(discriminator="kind")]
)


def _mistakes(error: ValidationError) -> str:
    """Where the first mistakes are and what they are."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(each['loc'][1:])}: {each['msg']}" for each in found[:_TOLD]]
    return "; ".join(told) + (f"; and {len(found) - _TOLD:,} more" if len(found) > _TOLD else "")


def _place(parts: tuple[int | str, ...]) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return place.lstrip(".")[:100] or "the key"


def _check(read: _Calls | _Stdio | _Asserts) -> Check:
    if isinstance(read, _Stdio):
        runs = tuple(StdioCase(case.stdin, case.stdout) for case in read.cases)
        return StdioCheck(runs, whitespace=read.whitespace, **read.shared())
    if isinstance(read, _Calls):
        cases = tuple(_call_case(number, case) for number, case in enumerate(read.cases))
        return CallsCheck(read.entry_point, cases, **read.shared())
    if read.language is not None and language_of(read.language) != "python":
        raise ValueError(f"language: asserts are Python, and this is {read.language[:80]!r}")
    check = AssertsCheck(read.entry_point, read.code, **read.shared())
    rewritten(check)  # raises a ValueError where the code is none or asks nothing
    return check


def _call_case(number: int, case: _CallCase) -> CallCase:
    try:
        kwargs = {name: wire(value) for name, value in case.kwargs.items()}
        call = Call(tuple(map(wire, case.args)), kwargs or None)
        return CallCase(call, from_json(case.expected))
    except ValueError as error:
        raise ValueError(f"cases[{number}]: {error}") from error
