"""Hashes are the same in every process; what has no stable encoding is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.pipeline.fingerprint import canonical_json, digest_of, explain_difference

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text("abcd", max_size=3), values, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert digest_of(value) == digest_of(dict(reversed(value.items())))


@given(values)
def test_equal_values_have_nothing_to_explain(value: object) -> None:
    assert explain_difference({"x": value}, {"x": value}) == []


def test_another_process_agrees() -> None:
    value = {"b": [1, 2.5, None, "é"], "a": {"c": True}}
    code = f"from potstill.pipeline.fingerprint import digest_of; print(digest_of({value!r}))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.decode().strip() == digest_of(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": float("nan")}, "config.a: nan has no JSON form"),
        ({"a": [print]}, r"config.a\[0\]: a builtin_function_or_method has no stable encoding"),
        ({"a": {1: 2}}, "key 1 is a int, not a string"),
        ({"a": {1, 2}}, "a set has no stable encoding"),
    ],
)
def test_the_unstable_is_refused(value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        canonical_json(value)


def test_differences_are_named() -> None:
    old = {"filters": {"math": {"version": 1}}, "gone": 1, "same": [1]}
    new = {"filters": {"math": {"version": 2}}, "fresh": "x", "same": [1]}
    assert explain_difference(old, new) == [
        "filters.math.version 1 → 2",
        'fresh is new ("x")',
        "gone is gone (was 1)",
    ]


def test_a_part_that_comes_or_goes_is_one_difference() -> None:
    """A group of fields has many; a user changed one."""
    old = {"lora": None, "evaluate": {"every": 2, "sampling": {"seed": 0}}, "names": ["a"]}
    new = {"lora": {"r": 16, "alpha": 32.0}, "evaluate": None, "names": ["a", "b"]}
    assert explain_difference(old, new) == [
        'evaluate {"every": 2, "sampling": {"seed": 0}} → null',
        'lora null → {"r": 16, "alpha": 32.0}',
        'names[1] is new ("b")',
    ]
