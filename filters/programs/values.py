"""Is what a program returned what the key expects? Decided outside, strict about types.

Values are equal as in Python, with these rules of our own:

* a bool is no number: `True` is not 1, nor `1.0` `True`;
* NaN is met by NaN: a key that expects it could not be met otherwise;
* a tolerance, if given, holds between finite numbers of which one at least is a float, relative or
  absolute, and not in keys of dicts nor in sets;
* keys written in JSON (`from_json`) have one kind of sequence and names for keys: an array is met
  by a list or a tuple, an object by a dict whose keys `json.dumps` would write as these names
  (`{1: "a"}` meets `{"1": "a"}`); a set meets neither.

What has no value (`Other`) is equal to nothing. The time grows with the size of the values,
whatever they are: sets and keys are compared by texts made of them, so nothing hostile is hashed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .wires import Bag, Other, Pairs, Plain, read_wire, wire

Number = int | float | complex


@dataclass(frozen=True, slots=True)
class Expected:
    """A value that a key expects. `of_json`: written in JSON, which has fewer types than Python."""

    value: Plain
    of_json: bool = False


def from_json(value: object) -> Expected:
    """What a JSON value of a key expects.

    Raises:
        ValueError: it is nested too deeply.
    """
    return Expected(read_wire(json.dumps(wire(value))), of_json=True)


def from_literal(value: object) -> Expected:
    """What a Python literal of a key expects.

    Raises:
        ValueError: it is nested too deeply, or of a type that no wire value has.
    """
    return Expected(read_wire(json.dumps(wire(value))))


def same(expected: Expected, got: Plain, float_tolerance: float = 0.0) -> bool:
    """Whether a value read by `read_wire` is the expected one, by the rules above."""
    return _Comparison(expected.of_json, float_tolerance).same(expected.value, got)


@dataclass(frozen=True, slots=True)
class _Comparison:
    of_json: bool
    tolerance: float

    def same(self, expected: Plain, got: Plain) -> bool:
        if _is_number(expected) and _is_number(got):
            return _same_numbers(expected, got, self.tolerance)
        if isinstance(expected, list | tuple):
            alike = isinstance(got, list | tuple) if self.of_json else type(got) is type(expected)
            return alike and self._same_items(expected, got)
        if isinstance(expected, Pairs):
            return isinstance(got, Pairs) and self._same_pairs(expected, got)
        if isinstance(expected, Bag):
            return isinstance(got, Bag) and _keys(expected.items) == _keys(got.items)
        if isinstance(expected, bytes | bytearray):
            return isinstance(got, bytes | bytearray) and expected == got
        return type(expected) is type(got) and expected == got

    def _same_items(self, expected: Any, got: Any) -> bool:
        return len(expected) == len(got) and all(map(self.same, expected, got))

    def _same_pairs(self, expected: Pairs, got: Pairs) -> bool:
        name: Callable[[Plain], str | None] = _json_name if self.of_json else key
        ours = {name(each): value for each, value in expected.items}
        theirs = {name(each): value for each, value in got.items}
        return (
            len(theirs) == len(got.items)  # no two keys became one
            and ours.keys() == theirs.keys()
            and all(self.same(value, theirs[name]) for name, value in ours.items())
        )


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _same_numbers(expected: Any, got: Any, tolerance: float) -> bool:
    return all(
        ours == theirs or (ours != ours and theirs != theirs) or _close(ours, theirs, tolerance)
        for ours, theirs in zip(_parts(expected), _parts(got), strict=True)
    )


def _parts(number: Any) -> tuple[int | float, int | float]:
    """Real and imaginary part; an integer stays exact."""
    return (number.real, number.imag)


def _close(one: int | float, other: int | float, tolerance: float) -> bool:
    if not tolerance or not (isinstance(one, float) or isinstance(other, float)):
        return False
    try:
        finite = math.isfinite(one) and math.isfinite(other)
    except OverflowError:  # an integer beyond all floats
        return False
    return finite and math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


# Texts that are equal if and only if the values are


def _keys(values: tuple[Plain, ...]) -> list[str]:
    return sorted(map(key, values))


def key(value: Plain) -> str:
    """A text that equal values share. Texts are hashed with a secret of the process."""
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    if value is None or isinstance(value, bool):
        return f"{value};"
    if isinstance(value, int | float | complex):
        return f"n{_number(value)};"
    if isinstance(value, list | tuple):
        return f"{'l' if isinstance(value, list) else 't'}({''.join(map(key, value))})"
    if isinstance(value, bytes | bytearray):
        return f"b{value.hex()};"
    if isinstance(value, Bag):
        return f"g({''.join(_keys(value.items))})"
    if isinstance(value, Pairs):
        return f"d({''.join(sorted(map(key, value.items)))})"
    return f"o{len(value.name)}:{value.name}"


def _number(value: Number) -> str:
    """Equal numbers are written alike, whatever their type."""
    if isinstance(value, complex):
        real, imaginary = _number(value.real), _number(value.imag)
        return real if value.imag == 0 else f"{real},{imaginary}"
    if isinstance(value, float):
        if not value.is_integer():
            return value.hex()
        value = int(value)
    return hex(value)


def _json_name(value: Plain) -> str | None:
    """The name that `json.dumps` gives to this key of a dict; None: it refuses it."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | float):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _LONGEST_NAME else None
    return None


_LONGEST_NAME: Final = 10**1000
"""Python refuses to write integers of more than 4,300 digits: the time is quadratic."""


# For people to read


def shown(value: Plain) -> str:
    """The value as Python source; what has no value as `<Class>`."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))}{',' * (len(value) == 1)})"
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{shown(name)}: {shown(item)}" for name, item in value.items) + "}"
    if isinstance(value, Bag):
        items = ", ".join(map(shown, value.items))
        return f"frozenset([{items}])" if value.frozen else f"{{{items}}}" if items else "set()"
    if isinstance(value, Other):
        return f"<{value.name}>"
    if isinstance(value, complex):
        return f"complex({shown(value.real)}, {shown(value.imag)})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONGEST_NAME:
        return hex(value)
    return repr(value)
