"""Tidying answers, reading plain numbers and quantities, and comparing them exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.equivalence.numbers import read_number, same
from potstill.filters.equivalence.quantities import read_quantity
from potstill.filters.equivalence.spoken_numbers import spoken_number
from potstill.filters.equivalence.tidy import tidy
from potstill.filters.equivalence.units import is_unit, read_unit


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        (" 5. ", "5"),
        ("$5$", "5"),
        (r"$\$18$", "$18"),
        (r"\( x+1 \)", "x+1"),
        (r"\[5\]", "5"),
        (r"\(a\) and \(b\)", "a and b"),
        ("$a$ and $b$", "a and b"),
        ("**8**", "8"),
        (r"\text{east}", "east"),
        (r"$\mathbf{\text{east}}$", "east"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"),
        (r"\left(1,2\right]", "(1,2]"),
        (r"\left\{ 1 \right.", r"\{ 1"),
        (r"1\,234", "1,234"),
        (r"1{,}234", "1,234"),
        (r"11,\! 111", "11,111"),
        (r"(1,\,200)", "(1, 200)"),
        (r"3\, x", "3 x"),
        (r"8\;", "8"),
        (r"1 \\ 2", r"1 \\ 2"),
        ("１２，", "12"),
        ("−12", "-12"),
        ("–7", "-7"),
        ("3–5", "3–5"),
        (r"50\%", "50%"),
        ("五。", "五"),
        ("90°", r"90^\circ"),
        ("x²", "x^{2}"),
        ("2√3", r"2\sqrt 3"),
        (r"x \leqslant 3", r"x \le 3"),
        (r"6^{\text{th}}", "6"),
        ("5又1/2", "5 1/2"),
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
        ("1 234 567", 1_234_567),
        ("1,00,000", 100_000),
        ("1.234.567", 1_234_567),
        ("1.234,56", Fraction("1234.56")),
        ("$18", 18),
        ("-$5", -5),
        ("$-5", -5),
        ("US$5", 5),
        ("18元", 18),
        ("42 个", 42),
        ("3千米", 3),
        ("5分钟", 5),
        ("5万", 50_000),
        ("1.5 million", 1_500_000),
        ("2 dozen", 24),
        ("18 dollars", 18),
        ("60 miles per hour", 60),
        ("60 km/h", 60),
        ("9.8 m/s^2", Fraction("9.8")),
        ("5cm", 5),
        (r"18\text{ dollars}", 18),
        (r"90^\circ", 90),
        ("3/4", Fraction(3, 4)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"\frac34", Fraction(3, 4)),
        ("2 1/2", Fraction(5, 2)),
        (r"2\frac{1}{2}", Fraction(5, 2)),
        (r"-2\frac12", Fraction(-5, 2)),
        (r"0.\overline{3}", Fraction(1, 3)),
        (r"0.1\overline{6}", Fraction(1, 6)),
        ("0.333...", Fraction(1, 3)),
        ("0.(142857)", Fraction(1, 7)),
        ("1.5e3", 1500),
        (r"1.5\times10^{-3}", Fraction("0.0015")),
    ],
)
def test_plain_numbers(text, value):
    number = read_number(tidy(text))
    assert number is not None
    assert number.value == value
    assert not number.percent


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "-", "$", "1,23", "0,5", "1,2,3", "3:4", "5 or 6", "3-5", "1/0", "2 3/2"),
        *("3半", "5又2", "2ab", "3t", "5 m", "5 xy", "2 pi", "1" * 90, "2e", "10x", "3.14..."),
        *(r"\frac{1}{0}", r"\frac{x}{2}", r"5 \text{ or 6}", "5!", "2^3", "3 times 4"),
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
        ("east", "east", True),
        # percent
        ("50%", "0.5", True),
        ("50%", "50", True),
        ("50%", "51%", False),
        ("0.5%", "0.5", False),
        ("1%", "1", False),
        (r"33.333333%", "1/3", True),
        # decimals that may be roundings
        ("1/3", "0.333333", True),
        ("1/3", "0.333", False),
        ("2/3", "0.666667", True),
        ("2/3", "0.666666", True),
        ("2/3", "0.666665", False),
        ("1/2", "0.5000001", False),
        ("1/2", "0.4999999", False),
        ("1/1000000", "0.000002", False),
        # units
        ("5 cm", "5 km", False),
        ("1.5 km", "1500米", True),
        ("3 hours", "3", True),
        ("5 apples", "5 pears", True),
        ("$18", "18 dollars per day", True),
        ("$18", "€18", False),
        ("$0.75", "75 cents", True),
        ("12 cm^2", "12 cm^3", False),
        # not for this module to say
        ("east", "west", None),
        ("x", "5", None),
        ("", "", None),
    ],
)
def test_same(key, answer, equal):
    assert same(key, answer) is equal
    assert same(answer, key) is equal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 hours and 30 minutes", Fraction(5, 2)),
        (r"2\text{ hours } 30\text{ minutes}", Fraction(5, 2)),
        ("1小时30分", Fraction(3, 2)),
        ("20元5角", Fraction(41, 2)),
        ("5 feet 6 inches", Fraction(11, 2)),
        ("5 feet 6 pounds", None),
        ("30 minutes 2 hours", None),
        ("5 hours", None),
        ("x 5", None),
    ],
)
def test_quantities(text, value):
    quantity = read_quantity(text)
    assert (quantity and quantity.value) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seven", 7),
        ("Twenty-five", 25),
        ("one hundred twenty", 120),
        ("three hundred and five", 305),
        ("two thousand", 2000),
        ("five dollars", 5),
        ("一百二十", 120),
        ("十二", 12),
        ("三万五千", 35_000),
        ("五分之三", Fraction(3, 5)),
        ("5分之3", Fraction(3, 5)),
        ("twenty thirty", None),
        ("five six", None),
        ("two thirds", None),
        ("二五", None),
        ("the one", None),
        ("", None),
    ],
)
def test_numbers_in_words(text, value):
    assert spoken_number(text) == value


@pytest.mark.parametrize(
    "text", [" dollars", "km", " apples", r"\text{ cm}^2", "个", "^\\circ", ""]
)
def test_units_are_units(text):
    assert is_unit(text)


@pytest.mark.parametrize("text", ["ab", "t", " million", "半", "x", " squared", " and"])
def test_variables_and_changing_words_are_none(text):
    assert not is_unit(text)


def test_a_square_of_a_length_is_an_area():
    assert read_unit("square meters") == read_unit("m^2") == read_unit("平方米")
    assert read_unit("立方米") == read_unit(r"\text{m}^3")
    assert read_unit("dm^3") == read_unit("litre")


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


@given(st.fractions(min_value=0, max_value=1, max_denominator=500), st.integers(6, 12))
def test_a_long_decimal_is_what_it_rounds(value, places):
    scaled = value * 10**places
    written = f"0.{scaled.numerator // scaled.denominator:0{places}d}"
    if 0 < value < 1 and len(written.lstrip("0.")) >= 6:
        assert same(f"{value.numerator}/{value.denominator}", written) is True


@given(st.text(alphabet="0123456789.,/ %$-\\fracext{}元个km^°", max_size=12), st.text(max_size=5))
def test_reading_never_fails_and_comparing_is_symmetric(text, other):
    assert same(tidy(text), tidy(other)) is same(tidy(other), tidy(text))


@given(st.text(alphabet="0123456789.,;$\\(){}[]^_ abfracleft–−又th°²½√", max_size=30))
def test_tidying_twice_changes_nothing_more_than_once(text):
    once = tidy(tidy(text))
    assert tidy(once) == once
