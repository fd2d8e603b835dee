"""Standard output against what was expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.programs.printed import Difference, difference


def same(printed, expected, **rules):
    printed = printed.encode() if isinstance(printed, str) else printed
    return difference(printed, expected, **rules) is None


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        *(("1\n", "1\n"), ("1", "1\n"), ("1\n", "1"), ("1\n\n\n", "1"), ("1", "1\n\n"), ("", "")),
        *(("\n", ""), ("", "\n\n"), ("1  \n2\t\n", "1\n2\n"), ("1\r\n2\r\n", "1\n2\n")),
        *(("1\n2", "1 \r\n2 \r\n"), ("a\n\nb", "a\n\nb\n"), ("é\n", "é"), ("\u2028\n", "\u2028")),
        *(("  1", "  1"), ("a \n \n", "a"), ("x\f\n", "x")),
    ],
)
def test_blanks_at_the_end_of_lines_and_texts_do_not_count(printed, expected):
    assert same(printed, expected)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        *(("1", "2"), ("1\n2", "1"), ("1", "1\n2"), ("", "1"), ("1", ""), ("\n1", "1")),
        *((" 1", "1"), ("1  2", "1 2"), ("1\t2", "1 2"), ("1\n\n2", "1\n2"), ("a", "A")),
        *(("YES", "Yes"), ("1.0", "1"), ("1\n2\n", "2\n1\n"), ("1\u2028", "1"), ("1\xa0", "1")),
        *(("1 2", "1\n2"), ("1\r2", "1\n2"), ("x\x00", "x"), ("e\u0301", "é"), ("\ufeff1", "1")),
    ],
)
def test_everything_else_counts(printed, expected):
    assert not same(printed, expected)


def test_an_output_that_ends_early_is_wrong_at_the_line_that_is_missing():
    assert difference(b"1\n2\n", "1\n2\n3\n") == Difference(3, None, 2)
    assert difference(b"1\n2\n3\n4\n", "1\n2\n3\n") == Difference(4, "4", 4)
    assert difference(b"1\nx\n3\n", "1\n2\n3\n") == Difference(2, "x", 3)
    assert difference(b"", "1") == Difference(1, None, 0)


@pytest.mark.parametrize(
    ("printed", "expected", "is_same"),
    [
        *(("1\n", "1\n", True), ("1", "1\n", False), ("1 \n", "1\n", False)),
        *(("1\r\n", "1\n", False), ("1\n\n", "1\n", False), ("", "", True)),
    ],
)
def test_exact_means_every_character(printed, expected, is_same):
    assert same(printed, expected, whitespace="exact") is is_same


@pytest.mark.parametrize("printed", [b"\xff", b"1\n\xe9\n", b"\xed\xa0\x80", b"1\xc3"])
def test_what_is_no_utf8_is_wrong(printed):
    for expected in ("", "1", printed.decode("latin-1"), "\ufffd"):
        for whitespace in ("lines", "exact"):
            assert not same(printed, expected, whitespace=whitespace, float_tolerance=0.1)
    assert difference(b"1\n2\xff\n3", "1").line == 2


def test_a_lone_surrogate_in_a_key_is_met_by_nothing():
    assert not same("?", "\ud800")
    assert not same("\ufffd", "\ud800")


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        *(("0.333333", "0.3333333333"), ("1.0", "1"), ("1", "1.0"), ("1e3", "1000.0")),
        *(("-0.0", "0.0"), ("x = 2.5000001;", "x = 2.5000001;"), ("a 0.5 b", "a 0.50000001 b")),
        *(
            (".5", "0.5"),
            ("+1.5", "1.5"),
            ("1.", "1.0"),
            ("1e-9", "0.0"),
            ("3.14 2.72", "3.14 2.72"),
        ),
    ],
)
def test_a_tolerance_is_between_numbers_in_the_same_place(printed, expected):
    assert same(printed, expected, float_tolerance=1e-6)
    assert same(printed, expected) is (printed == expected)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        *(("0.33", "0.3333333333"), ("1000001", "1000000"), ("1000000000", "1000000001")),
        *(
            ("01", "1"),
            ("+1", "1"),
            ("nan", "0.5"),
            ("nan", "NaN"),
            ("inf", "1e999"),
            ("1e999", "2e999"),
        ),
        *(
            ("1_0.5", "10.5"),
            ("0x1p0", "1.0"),
            ("1,5", "1.5"),
            ("0.5", "0.5 0.5"),
            ("0.5 x", "0.5 y"),
        ),
        *(
            ("0.5  0.5", "0.5 0.5"),
            ("0.5", "abc"),
            ("", "0.0"),
            ("\u0661.5", "1.5"),
            ("1.5", " 1.5"),
        ),
        *(("0.5\n0.5", "0.5"), ("x=0.5", "x=0.50000001")),
    ],
)
def test_and_nothing_else(printed, expected):
    assert not same(printed, expected, float_tolerance=1e-6)


def test_many_digits_are_no_trouble():
    digits = "9" * 100_000
    assert not same(digits + ".5", digits + ".6", float_tolerance=1e-6)  # beyond all floats
    assert same("0." + digits, "1.0", float_tolerance=1e-6)


texts = st.text(alphabet="01. \n\r\tab\u2028", max_size=30)


@given(texts, texts)
def test_every_text_is_like_itself_and_likeness_goes_both_ways(one, other):
    for rules in ({}, {"whitespace": "exact"}, {"float_tolerance": 0.01}):
        assert same(one, one, **rules)
        assert same(one, other, **rules) is same(other, one, **rules)


@given(texts, texts)
def test_alike_means_alike_line_by_line(one, other):
    lines = [[line.rstrip() for line in text.split("\n")] for text in (one, other)]
    for each in lines:
        while each and not each[-1]:
            each.pop()
    if "\u2028" not in one + other:  # which str.rstrip takes for a blank
        assert same(one, other) is (lines[0] == lines[1])
