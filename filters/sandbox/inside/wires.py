"""Values of a program as JSON that keeps Python's types apart, and arguments back from it.

The form is defined in `../execution.py`. A value is read with the methods of its base type, never
with its own, so a subclass cannot say one thing and be another. Nothing is compared here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 64
NAME_LENGTH = 100


def name_of(kind: type) -> str:
    """The real name of a class, whatever its metaclass says."""
    return str(type.__dict__["__name__"].__get__(kind))[:NAME_LENGTH]


def wire(value: Any, depth: int = 0) -> Any:
    """A wire value; the base type's own methods are used, so a subclass cannot lie."""
    kinds: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    if value is None or value is True or value is False:
        return value
    if depth > MAX_DEPTH:
        return {"other": "nested too deeply"}
    for kind, encode in _ENCODERS.items():
        if any(each is kind for each in kinds):  # `in` would ask a metaclass
            return encode(value, depth + 1)
    if "numpy" in sys.modules and (item := _of_numpy(value, kinds)) is not None:
        return wire(item, depth + 1)
    return {"other": name_of(type(value))}


def _of_numpy(value: Any, kinds: tuple[type, ...]) -> Any:
    """What a number or an array of numpy is in plain Python."""
    numpy = sys.modules["numpy"]
    if any(each is numpy.ndarray for each in kinds):
        return numpy.ndarray.tolist(value)
    return numpy.generic.item(value) if any(each is numpy.generic for each in kinds) else None


def _int(value: int, _depth: int) -> Any:
    number = int.__add__(value, 0)
    return number if -(2**53) < number < 2**53 else {"int": hex(number)}


def _text(value: str, _depth: int) -> Any:
    """As it is, but for two halves of a character side by side: JSON would make them the whole."""
    text = str.__str__(value)
    try:
        str.encode(text)
    except UnicodeEncodeError:
        if json.loads(json.dumps(text)) != text:
            return {"other": "text that is not Unicode"}
    return text


def _each(values: Any, depth: int) -> list[Any]:
    return [wire(each, depth) for each in values]


_ENCODERS: dict[type, Callable[[Any, int], Any]] = {
    int: _int,
    str: _text,
    float: lambda value, _: {"float": float.hex(value)},
    list: lambda value, depth: _each(list.__iter__(value), depth),
    tuple: lambda value, depth: {"tuple": _each(tuple.__iter__(value), depth)},
    dict: lambda value, depth: {"dict": [_each(pair, depth) for pair in dict.items(value)]},
    set: lambda value, depth: {"set": _each(set.__iter__(value), depth)},
    frozenset: lambda value, depth: {"frozenset": _each(frozenset.__iter__(value), depth)},
    bytes: lambda value, _: {"bytes": bytes.hex(value)},
    bytearray: lambda value, _: {"bytearray": bytearray.hex(value)},
    complex: lambda value, _: {
        "complex": [float.hex(complex.real.__get__(value)), float.hex(complex.imag.__get__(value))]
    },
}


def unwire(value: Any) -> Any:
    """The Python value of a wire value that came from outside."""
    if isinstance(value, list):
        return [unwire(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, held),) = value.items()
    return _DECODERS[tag](held)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda held: int(held, 16),
    "float": float.fromhex,
    "complex": lambda held: complex(float.fromhex(held[0]), float.fromhex(held[1])),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "tuple": lambda held: tuple(unwire(held)),
    "set": lambda held: set(unwire(held)),
    "frozenset": lambda held: frozenset(unwire(held)),
    "dict": lambda held: {unwire(key): unwire(value) for key, value in held},
}
