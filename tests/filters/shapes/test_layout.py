"""Looking past code, tables and aligned math without moving anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.shapes.layout import without_code, without_layout

PIECES = [
    "```",
    "```\n",
    "~~~\n",
    "`",
    "\n",
    "a",
    " ",
    "| a | b |\n",
    "\\begin{align}",
    "x & y \\\\ ",
]
PIECES += ["\\end{align}", "\\end{align*}", "    ```\n", "````\n", "|"]
texts = st.lists(st.sampled_from(PIECES), max_size=16).map("".join)


@given(texts)
def test_nothing_moves_and_nothing_is_added(text: str) -> None:
    for blanked in (without_code(text), without_layout(text)):
        assert len(blanked) == len(text)
        assert all(new in (old, " ") for new, old in zip(blanked, text, strict=True))
        assert blanked.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a `b` c", "a c"),
        ("a ``b ` c`` d", "a d"),
        ("a ` b", "a ` b"),
        ("say ```x = 1``` now", "say now"),
        ("a\n```python\nb\n```\nc", "a c"),
        ("a\n  ```\n  b\n  ```\nc", "a c"),
        ("a\n````\n```\nb\n```\n````\nc", "a c"),
        ("a\n~~~\nb ``` c\n~~~\nd", "a d"),
        ("a\n```\nb", "a ``` b"),
        ("a\n```\nb\n~~~\nc", "a ``` b ~~~ c"),
        ("| a | b |\n|---|---|\n| c | d |\ne", "e"),
        ("|x| = 3 or\n|y| = 4 here", "|x| = 3 or |y| = 4 here"),
        ("a \\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix} b", "a b"),
        ("a \\begin{align*} x &= \\frac{1}{2} \\\\ \\end{align*} b", "a b"),
        ("a \\begin{align} x", "a \\begin{align} x"),
        ("a \\begin{theorem} x \\end{theorem}", "a \\begin{theorem} x \\end{theorem}"),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert " ".join(without_layout(text).split()) == left


HOSTILE = {
    "longer and longer fences": "".join("`" * k + "\n" for k in range(3, 630)),
    "shorter and shorter fences": "".join("`" * k + "\n" for k in range(630, 3, -1)),
    "open environments": "\\begin{align}" * 15_000,
    "half tables": "| a | b\n" * 25_000,
    "ticks": "`a" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name: str) -> None:
    """Not timed: a quadratic pattern would run into the test timeout."""
    assert len(without_layout(HOSTILE[name])) == len(HOSTILE[name])
