"""Values on their way into a sandbox and back: wire values, written and read.

`wire` writes a Python literal or a JSON value in the form that `sandbox/execution.py` defines.
`read_wire` reads what a program's process wrote, which is hostile text: it gives a tree of plain
values or raises `MalformedValue`, in time that grows with the text and with no other exception.
Nothing in such a tree is hashed or called: a set is a `Bag`, a dict is `Pairs`, what is no value is
`Other`. Whether two trees are the same is decided in `values.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from ..sandbox.execution import MAX_DEPTH

_MAX_NESTING: Final = 3 * (MAX_DEPTH + 3)
"""Brackets of JSON: a dict is an object, a list and a list; the rest is room for an event."""
_SAFE: Final = 2**53
_NO_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\[\]{}"]++', re.DOTALL)
_INT: Final = re.compile(r"-?0x[0-9a-f]++")
_FLOAT: Final = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}|nan|-?inf")
_BYTES: Final = re.compile(r"(?:[0-9a-f]{2})*+")


class MalformedValue(ValueError):
    """What a process wrote is no wire value: says why."""


@dataclass(frozen=True, slots=True)
class Bag:
    """The elements of a set or a frozenset; nothing is known of their being hashable or unique."""

    items: tuple[Any, ...]
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """The items of a dict; nothing is known of the keys being hashable or unique."""

    items: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Other:
    """An object of this class: it has no value that could be told."""

    name: str


Plain = (
    None | bool | int | float | complex | str | bytes | bytearray | list[Any] | tuple[Any, ...]
) | (Bag | Pairs | Other)
"""Python's own types stand for themselves; their items are plain again."""


# Writing


def wire(value: object, depth: int = 0) -> Any:
    """The wire form of a Python literal or a JSON value.

    The same on every run: the elements of a set are sorted.

    Raises:
        ValueError: it has none, or is nested deeper than a wire value may be.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if depth > MAX_DEPTH:
        raise ValueError(f"a value is nested deeper than {MAX_DEPTH} levels")
    encode = _ENCODERS.get(type(value))
    if encode is None:
        raise ValueError(f"a value of type {type(value).__name__} cannot be sent to a program")
    return encode(value, depth + 1)


def _int(value: int, _depth: int) -> Any:
    return value if -_SAFE < value < _SAFE else {"int": hex(value)}


def _each(values: Any, depth: int) -> list[Any]:
    return [wire(each, depth) for each in values]


def _sorted(values: Any, depth: int) -> list[Any]:
    return sorted(_each(values, depth), key=json.dumps)


_ENCODERS: Final[dict[type, Callable[[Any, int], Any]]] = {
    int: _int,
    float: lambda value, _: {"float": value.hex()},
    complex: lambda value, _: {"complex": [value.real.hex(), value.imag.hex()]},
    bytes: lambda value, _: {"bytes": value.hex()},
    bytearray: lambda value, _: {"bytearray": value.hex()},
    list: _each,
    tuple: lambda value, depth: {"tuple": _each(value, depth)},
    set: lambda value, depth: {"set": _sorted(value, depth)},
    frozenset: lambda value, depth: {"frozenset": _sorted(value, depth)},
    dict: lambda value, depth: {"dict": [_each(pair, depth) for pair in value.items()]},
}


# Reading


def read_wire(text: bytes | str) -> Plain:
    """The value of a JSON text that a process wrote.

    A line of the values channel, such as `[0, "value", WIRE]`, is a list and can be read at once.

    Raises:
        MalformedValue: it is no wire value.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        if nesting(text) > _MAX_NESTING:
            raise MalformedValue(f"nested deeper than {MAX_DEPTH} levels")
        read: Plain = json.loads(
            text,
            object_pairs_hook=_tagged,
            parse_int=_small_int,
            parse_float=_refused,
            parse_constant=_refused,
        )
    except MalformedValue:
        raise
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError: say where, never what
        raise MalformedValue(f"no JSON: {type(error).__name__}") from error
    return read


def nesting(text: str) -> int:
    """Deepest nesting of a JSON text, or 0 if it is harmless: the parser of `json` recurses."""
    if text.count("[") + text.count("{") <= _MAX_NESTING:
        return 0
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(1 if each in "[{" else -1 for each in brackets), default=0)


def _small_int(digits: str) -> int:
    if len(digits) > 17 or not -_SAFE < (number := int(digits)) < _SAFE:
        raise MalformedValue("an integer of 2**53 or more is not written in digits")
    return number


def _refused(number: str) -> Any:
    raise MalformedValue(f"{number[:20]!r}: a float is not written in digits")


def _tagged(pairs: list[tuple[str, Any]]) -> Plain:
    """The value of an object, which has one key: what kind of value it is."""
    if len(pairs) != 1 or pairs[0][0] not in _DECODERS:
        raise MalformedValue("an object is no tagged value")
    tag, held = pairs[0]
    kind, decode = _DECODERS[tag]
    if not isinstance(held, kind):
        raise MalformedValue(f"{tag!r} holds {type(held).__name__}, expected {kind.__name__}")
    try:
        decoded: Plain = decode(held)
    except OverflowError as error:
        raise MalformedValue(f"{tag!r} is out of range") from error
    return decoded


def _matching(form: re.Pattern[str], held: object) -> str:
    if not isinstance(held, str) or form.fullmatch(held) is None:
        raise MalformedValue("a number or bytes are not in their form")
    return held


def _a_float(held: object) -> float:
    return float.fromhex(_matching(_FLOAT, held))


def _a_complex(held: list[Any]) -> complex:
    if len(held) != 2:
        raise MalformedValue("a complex number has two parts")
    return complex(_a_float(held[0]), _a_float(held[1]))


def _pairs(held: list[Any]) -> Pairs:
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in held):
        raise MalformedValue("an item of a dict is no pair")
    return Pairs(tuple((key, value) for key, value in held))


_DECODERS: Final[dict[str, tuple[type, Callable[[Any], Any]]]] = {
    "int": (str, lambda held: int(_matching(_INT, held), 16)),
    "float": (str, _a_float),
    "complex": (list, _a_complex),
    "bytes": (str, lambda held: bytes.fromhex(_matching(_BYTES, held))),
    "bytearray": (str, lambda held: bytearray.fromhex(_matching(_BYTES, held))),
    "tuple": (list, tuple),
    "set": (list, lambda held: Bag(tuple(held))),
    "frozenset": (list, lambda held: Bag(tuple(held), frozen=True)),
    "dict": (list, _pairs),
    "other": (str, Other),
}
