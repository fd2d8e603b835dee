"""Forms of answers: that the same thing said in another form is equal, and another thing is not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.equivalence.equality import same_form
from potstill.filters.equivalence.forms import (
    Clock,
    Equation,
    Inequality,
    Items,
    Matrix,
    Region,
    Words,
)
from potstill.filters.equivalence.read_form import read_form
from potstill.filters.equivalence.regions import Interval, contains, equal, intersection, union
from potstill.filters.equivalence.tidy import tidy


def same(key, answer):
    forms = read_form(tidy(key)), read_form(tidy(answer))
    assert None not in forms, (key, answer)
    return same_form(*forms)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x < 3", Region),
        (r"(-\infty, 1) \cup (2, 3]", Region),
        (r"\{x \mid x \ge 0\}", Region),
        ("all real numbers", Region),
        ("no solution", Region),
        ("2x > y", Inequality),
        ("1, 2", Items),
        ("(1, 2]", Items),
        (r"\pm 2", Items),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", Matrix),
        ("y = 2x", Equation),
        ("f(2) = 5", Equation),
        ("east", Words),
        ("Yes", Words),
        ("3:30 PM", Clock),
    ],
)
def test_kinds(text, kind):
    assert isinstance(read_form(tidy(text)), kind)


@pytest.mark.parametrize(
    "text", ["", r"\int x dx", "2 3", "x/2y", "(" * 50, "f(2)", r"\text{", "=="]
)
def test_what_is_not_clear_has_no_form(text):
    assert read_form(tidy(text)) is None


small = st.integers(-30, 30)
fractions = st.fractions(min_value=-30, max_value=30, max_denominator=12)


def latex(value: Fraction) -> str:
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def slashed(value: Fraction) -> str:
    return str(Fraction(value))


@given(fractions, fractions, st.booleans(), st.booleans())
def test_an_interval_is_its_inequality_in_either_direction(one, two, low_open, high_open):
    low, high = min(one, two), max(one, two) + 1
    left, right = "<" if low_open else r"\le", "<" if high_open else r"\le"
    forms = [
        f"{'(' if low_open else '['}{latex(low)}, {slashed(high)}{')' if high_open else ']'}",
        f"{slashed(low)} {left} x {right} {latex(high)}",
        rf"x {'>' if low_open else '>='} {latex(low)} \text{{ and }} x {right} {high}",
    ]
    for first in forms:
        for second in forms:
            assert same(first, second) is True
    shifted = f"{latex(low)} {left} x {right} {latex(high + 1)}"
    assert same(forms[0], shifted) is False


@given(st.lists(fractions, min_size=2, max_size=5, unique=True), st.randoms())
def test_solutions_have_no_order_and_tuples_have_one(values, random):
    mixed = random.sample(values, len(values))
    lists = [
        ", ".join(map(latex, values)),
        r"\{" + ", ".join(map(slashed, mixed)) + r"\}",
        "x = " + ", x = ".join(map(latex, mixed)),
        r" \text{ or } ".join(map(slashed, mixed)),
    ]
    for first in lists:
        for second in lists:
            assert same(first, second) is True
    ordered = ["(" + ", ".join(map(latex, each)) + ")" for each in (values, mixed)]
    assert same(*ordered) is (values == mixed)
    assert same(lists[1], ordered[0]) is False


@given(small.filter(bool), small, small.filter(bool))
def test_a_line_is_a_line_however_written(slope, shift, factor):
    forms = [
        f"y = {slope}x + {shift}".replace("+ -", "- "),
        f"{slope * factor}x - {factor}y = {-shift * factor}".replace("- -", "+ "),
        f"y - ({shift}) = {slope}x",
    ]
    for first in forms:
        for second in forms:
            assert same(first, second) is True
    assert same(forms[0], f"y = {slope}x + {shift + 1}".replace("+ -", "- ")) is False


@given(st.lists(st.lists(small, min_size=2, max_size=2), min_size=2, max_size=3))
def test_matrices_are_equal_entry_by_entry(rows):
    body = r" \\ ".join(" & ".join(map(str, row)) for row in rows)
    first = rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    assert same(first, rf"\left[\begin{{array}}{{cc}} {body} \end{{array}}\right]") is True
    assert same(first, str(rows)) is True
    rows[0][0] += 1
    assert same(first, str(rows)) is False


text = st.text(alphabet="0123456789xyab,;:<>=()[]{}\\ .%$|pmleincuorand-+/^_是元", max_size=25)


@given(text, text)
def test_reading_and_comparing_never_fail(key, answer):
    forms = read_form(tidy(key)), read_form(tidy(answer))
    if None not in forms:
        assert same_form(*forms) in (True, False, None)
        if tidy(key) == tidy(answer):
            assert same_form(*forms) is not False


bound = st.none() | small.map(Fraction)
intervals = st.lists(
    st.builds(Interval, bound, bound, st.booleans(), st.booleans()), max_size=4
).map(
    lambda parts: [
        Interval(
            part.low,
            part.high,
            part.low_open or part.low is None,
            part.high_open or part.high is None,
        )
        for part in parts
    ]
)


@given(intervals, intervals, fractions)
def test_unions_and_intersections_hold_what_they_should(first, second, value):
    def inside(parts):
        return any(contains(part, value) for part in parts if not part.empty)

    assert inside(union(first)) == inside(first)
    assert inside(intersection(first, second)) == (inside(first) and inside(second))
    assert equal(union(first), union([*first, *first]))
    assert equal(union([*first, *second]), union([*second, *first]))
