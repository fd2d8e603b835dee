"""Strategies of Python literals, and how the values of a program that returned them come back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from potstill.filters.programs.wires import Plain, read_wire, wire

_NUMBERS = st.booleans() | st.integers() | st.floats() | st.complex_numbers()
_SMALL = st.sampled_from([0, 1, -1, 0.0, -0.0, 1.0, True, False, 1 + 0j, float("nan"), "", "1"])
HASHABLE: st.SearchStrategy[Any] = st.recursive(
    _SMALL | _NUMBERS | st.none() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)


def literals() -> st.SearchStrategy[Any]:
    """Values that have a wire form."""
    return st.recursive(
        HASHABLE | st.binary().map(bytearray),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.lists(inner, max_size=4).map(tuple)
            | st.sets(HASHABLE, max_size=4)
            | st.dictionaries(HASHABLE, inner, max_size=4)
        ),
        max_leaves=12,
    )


def returned(value: object) -> Plain:
    """What is read when a program returned this."""
    return read_wire(json.dumps(wire(value)))
