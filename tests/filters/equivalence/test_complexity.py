"""The guard before symbolic algebra: what it lets through and what it refuses."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.equivalence.complexity import MOST_DIGITS, too_complex

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "72",
        "1" * 300,
        "2^{2016}",
        "2^{2^{10}}",
        "10^{100}",
        "3^{4^5}",
        "2^{-99}",
        "20!",
        "1000!",
        "10!!",
        r"\frac{2024!}{1012! \cdot 1012!}",
        r"\binom{2024}{1012}",
        r"\sum_{k=1}^{100} k^2",
        "e^{x^2}",
        "x^{2^n}",
        "e^{-x^{2}/2}",
        "(x+1)^{10}+(y-2)^{20}",
        r"\sqrt{2+\sqrt{2+\sqrt{2}}}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        "0.0000000001",
    ],
)
def test_honest_answers_pass(expression):
    assert too_complex(expression) is None


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("9^{9^9}", "magnitude"),
        ("9**9**9", "magnitude"),
        ("9^9^9^9", "magnitude"),
        ("(9^9)^{9^9}", "magnitude"),
        ("10^{-10^{10}}", "magnitude"),
        ("2^{1000000}", "magnitude"),
        ("x^{1000000}", "magnitude"),
        ("(1+x)^{1000000}", "magnitude"),
        ("100000000!", "magnitude"),
        ("((10!)!)!", "magnitude"),
        ("5!!!", "magnitude"),
        ("2^{50!}", "magnitude"),
        (r"\binom{100000000}{3}", "magnitude"),
        (r"\sum_{k=1}^{10^9} k", "magnitude"),
        ("^" * 900, "magnitude"),
        ("(" * 30, "nesting"),
        ("{" * 30 + "}" * 30, "nesting"),
        ("1" * 1001, "length"),
    ],
)
def test_what_would_not_end_is_refused(expression, why):
    assert too_complex(expression) == why


@given(st.text(alphabet="0123456789^!(){}[]+-*/\\ xfracsumbinom.", max_size=60))
def test_the_guard_itself_always_answers(text):
    assert too_complex(text) in (None, "length", "nesting", "magnitude")


@given(st.integers(2, 99), st.integers(2, 999), st.integers(1, 99))
def test_what_passes_really_is_small(base, exponent, top):
    digits = exponent * top * math.log10(base)
    for text in (f"({base}^{exponent})^{top}", f"{base}^{{{exponent} \\cdot {top}}}"):
        if too_complex(text) is None:
            assert digits <= MOST_DIGITS
    if digits < 1000:
        assert too_complex(f"({base}^{exponent})^{top}") is None


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_no_key_of_the_real_sets_is_refused():
    for file in ("aime24", "amc23", "cmath"):
        for line in (DATA / f"{file}.jsonl").read_text("utf-8").splitlines():
            assert too_complex(str(json.loads(line)["answer"])) is None
