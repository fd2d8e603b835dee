"""Tidying answers, reading plain numbers, and comparing them exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.numbers import read_number, same
from potstill.filters.tidy import tidy
from potstill.filters.units import without_unit


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        (" 5. ", "5"),
        ("$5$", "5"),
        (r"$\$18$", "$18"),
        (r"\( x+1 \)", "x+1"),
        (r"\[5\]", "5"),
        (r"\(a\) and \(b\)", r"\(a\) and \(b\)"),
        ("$a$ and $b$", "$a$ and $b$"),
        ("**8**", "8"),
        (r"\text{east}", "east"),
        (r"$\mathbf{\text{east}}$", r"\mathbf{\text{east}}"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"),
        (r"\left(1,2\right]", "(1,2]"),
        (r"\left\{ 1 \right.", r"\left\{ 1 \right."),
        (r"1\,234", "1,234"),
        (r"1{,}234", "1,234"),
        (r"11,\!111", "11,111"),
        (r"(1,\,200)", "(1, 200)"),
        (r"3\, x", "3 x"),
        (r"8\;", "8"),
        (r"1 \\ 2", r"1 \\ 2"),
        ("１２，", "12"),
        ("−12", "-12"),
        ("3–5", "3–5"),
        (r"50\%", "50%"),
        ("五。", "五"),
        ("", ""),
    ],
)
def test_tidy(text, tidied):
    assert tidy(text) == tidied
    assert tidy(tidied) == tidied


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("72", 72),
        ("-12", -12),
        ("025", 25),
        ("27.0", 27),
        (".5", Fraction(1, 2)),
        ("16,800,000", 16_800_000),
        ("1,234.50", Fraction("1234.5")),
        ("$18", 18),
        ("-$5", -5),
        ("$-5", -5),
        ("18元", 18),
        ("42 个", 42),
        ("3千米", 3),
        ("5分钟", 5),
        ("18 dollars", 18),
        ("60 miles per hour", 60),
        ("60 km/h", 60),
        ("5cm", 5),
        (r"18\text{ dollars}", 18),
        (r"90^\circ", 90),
        (r"90^{\circ}", 90),
        ("90°", 90),
        ("3/4", Fraction(3, 4)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"\frac34", Fraction(3, 4)),
        ("2 1/2", Fraction(5, 2)),
        (r"2\frac{1}{2}", Fraction(5, 2)),
        (r"-2\frac12", Fraction(-5, 2)),
        ("12/5", Fraction(12, 5)),
    ],
)
def test_plain_numbers(text, value):
    number = read_number(text)
    assert number is not None
    assert number.value == value
    assert not number.percent


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "-", "$", "1,23", "0,5", "1,2,3", "3:4", "5 or 6", "1e3", "3-5", "1/0", "2 3/2"),
        *("1.5 million", "5万", "3千", "3半", "5又2", "2ab", "3t", "5 m", "5 xy", "2 pi", "1" * 80),
        *(r"\frac{1}{0}", r"\frac{x}{2}", r"5 \text{ or 6}", r"1.5\text{ million}", "5!", "2^3"),
        *("18 dollars and 50 cents", "5 squared", "1 2", "--5", "5%%"),
    ],
)
def test_what_is_no_plain_number(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("key", "answer", "equal"),
    [
        ("72", "72", True),
        ("72", "73", False),
        ("1234", "1,234", True),
        ("1/2", "0.5", True),
        ("2.5", "2 1/2", True),
        ("18", "18 dollars", True),
        ("3 hours", "3", True),
        ("east", "east", True),
        ("50%", "50%", True),
        ("50%", "51%", False),
        ("0.1", "25", False),
        # not for exact comparison to say:
        ("east", "west", None),
        ("50%", "0.5", None),
        ("50", "50%", None),
        ("1/3", "0.333333", None),
        ("5 cm", "5 km", None),
        ("5 cm", "6 km", None),
        ("x", "5", None),
        ("", "", None),
    ],
)
def test_same(key, answer, equal):
    assert same(key, answer) is equal
    assert same(answer, key) is equal


@pytest.mark.parametrize(
    ("expression", "bare"),
    [
        (r"2\sqrt{3}\text{ cm}^2", r"2\sqrt{3}"),
        (r"12\pi \text{ cm}^{2}", r"12\pi"),
        (r"2\sqrt{3} cm", r"2\sqrt{3}"),
        (r"\frac{1}{2}kg", r"\frac{1}{2}"),
        ("3t", "3t"),
        ("2ab", "2ab"),
        (r"x \text{ or } y", r"x \text{ or } y"),
        (r"1.5\text{ million}", r"1.5\text{ million}"),
        (r"\text{cm}", r"\text{cm}"),
    ],
)
def test_units_go_and_variables_stay(expression, bare):
    assert without_unit(expression) == bare


numbers = st.fractions(max_denominator=999).filter(lambda value: abs(value) < 10**9)


def spellings(value: Fraction) -> list[str]:
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole, rest = divmod(size.numerator, size.denominator)
    found = [f"{sign}\\frac{{{size.numerator}}}{{{size.denominator}}}"]
    if size.denominator == 1:
        found += [f"{sign}{size.numerator}", f"{sign}{size.numerator:,}", f"{sign}${whole}.00"]
    elif whole:
        found += [f"{sign}{whole} {rest}/{size.denominator}"]
    return found


@given(numbers, numbers)
def test_all_spellings_of_a_number_are_equal_and_of_two_numbers_are_not(first, second):
    for one in spellings(first):
        for other in spellings(second):
            assert same(tidy(one), tidy(other)) is (first == second)


@given(st.text(alphabet="0123456789.,/ %$-\\fracext{}元个km^°", max_size=12), st.text(max_size=5))
def test_reading_never_fails_and_comparing_is_symmetric(text, other):
    number = read_number(tidy(text))
    if number is not None:
        again = read_number(tidy(number.latex))
        assert again is not None
        assert (again.value, again.percent) == (number.value, number.percent)
    assert same(tidy(text), tidy(other)) is same(tidy(other), tidy(text))
