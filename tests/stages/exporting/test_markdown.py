"""Hostile text in Markdown, YAML and HTML."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from potstill.stages.exporting.markdown import code, counts, fenced, number, table, to_yaml

HOSTILE = [
    "a|b", "`x`", "```\n# head", "<script>alert(1)</script>", "</details>", "\x1b[31m", "a\u202eb",
    "---\nlicense: mit\n---", "- a: b", "no", "1e5", "", " ", "tab\t", "two\nlines \n", "\u2028",
    "\ufeffx", "\x00", "*a* [b](c)", "|\n|---|", "!!python/object:os.system", "&a", "\x85",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_one_line_of_code(text: str) -> None:
    shown = code(text)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert not set(shown[1:-1]) & set("`|<>\n")
    assert shown.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_fence_is_not_left(text: str) -> None:
    lines = fenced(text).splitlines()
    assert lines[0] == lines[-1]
    assert lines[0] not in lines[1:-1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(HOSTILE),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_yaml_says_the_same_and_hides_nothing(value: object) -> None:
    text = to_yaml({"value": value})
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not hidden & {unicodedata.category(sign) for sign in text.replace("\n", "")}
    assert YAML(typ="safe", pure=True).load(text) == {"value": value}


def test_yaml_keeps_the_order_of_keys() -> None:
    assert to_yaml({"b": 1, "a": [{"z": 1, "y": None}]}).splitlines() == [
        "b: 1",
        "a:",
        "- z: 1",
        "  y: null",
    ]


def test_unknown_is_not_zero() -> None:
    assert (number(None), number(0), number(0.0), number(1234)) == ("unknown", "0", "0", "1,234")


def test_long_tables_say_what_they_leave_out() -> None:
    text = counts("source", {f"s{n}": n + 1 for n in range(25)})
    assert "| 5 more | 15 |" in text
    assert text.count("\n") == 23


def test_no_rows_no_table() -> None:
    assert table(("a",), []) == ""
