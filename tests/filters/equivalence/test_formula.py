"""Reading formulas into trees, and telling by values whether two are equal."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.equivalence.exact_values import NotExact, NoValue, exact_value
from potstill.filters.equivalence.formula import Call, Symbol, Unclear, symbols
from potstill.filters.equivalence.formula_reader import read_expression
from potstill.filters.equivalence.tidy import tidy
from potstill.filters.equivalence.values import real_value, same_value


def read(text):
    return read_expression(tidy(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\frac12", Fraction(1, 2)),
        (r"\frac1{72}", Fraction(1, 72)),
        ("2 1/2", Fraction(5, 2)),
        (r"2\frac12", Fraction(5, 2)),
        ("-2^2", -4),
        ("2^{3^2}", 512),
        ("2^3^2", 512),
        ("2^10", 1024),
        ("6/2*3", 9),
        ("1-2-3", -4),
        (r"2\cdot-3", -6),
        ("3!", 6),
        (r"\binom52", 10),
        (r"{10 \choose 3}", 120),
        ("C_5^2", 10),
        ("|2-5|", 3),
        (r"\lfloor 3.7 \rfloor", 3),
        (r"\sqrt{\frac{4}{9}}", Fraction(2, 3)),
        (r"\sqrt[3]{27}", 3),
        ("27^{2/3}", 9),
        ("1010_2", 10),
        ("50%", Fraction(1, 2)),
    ],
)
def test_exact_values(text, value):
    assert exact_value(read(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a/bc",
            "x/2y",
            "f(2)",
            "east",
            "2 3",
            "3 4/3",
            "x=5",
            "1,2",
            "5!!",
            "(1",
            "1)",
            "2+",
        ),
        *(
            r"\frac{1}{",
            r"\int x",
            r"\sum_{k=1}^n k",
            r"\Gamma(5)",
            "102_2",
            r"\sqrt",
        ),
        *("(" * 300 + "1" + ")" * 300, r"\sqrt" * 300 + "2", "^" * 50, "|" * 31, "x_{a_{1}}"),
    ],
)
def test_what_is_not_clear_is_refused(text):
    with pytest.raises(Unclear):
        read(text)


def test_names():
    assert symbols(read(r"x_1 + \alpha y' + e^{i\pi} a_{12}")) == {"x_1", r"\alpha", "y'", "a_12"}
    assert read("-x") == Call("neg", (Symbol("x"),))


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt2}", True),
        ("(x+1)^2", "x^2+2x+1", True),
        ("(x+1)^2", "x^2+1", False),
        (r"\sqrt{x^2}", "x", False),
        (r"\sqrt{x^2}", "|x|", True),
        (r"\sin^2 x+\cos^2x", "1", True),
        (r"\sin 2x", r"2\sin x\cos x", True),
        (r"\sqrt{2+\sqrt3}", r"\frac{\sqrt6+\sqrt2}{2}", True),
        ("2^{-99}", "2^{-98}", False),
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}", False),
        ("e^{-200}", "e^{-201}", False),
        (r"\ln(ab)", r"\ln a+\ln b", True),
        (r"\log 100", "2", True),
        (r"\log_2 8", "3", True),
        (r"e^{i\pi}", "-1", True),
        ("3+4i", "3-4i", False),
        (r"\sqrt2+\sqrt3-\sqrt{5+2\sqrt6}", "0", True),
        (r"\sqrt[3]{-8}", "-2", True),
        (r"\infty", r"-\infty", False),
        (r"\infty", "5", False),
        (r"\sqrt{1/n}", r"\frac{1}{\sqrt n}", True),
        (r"\tan^2(y)+1", r"\sec^2(y)", True),
        (r"\tan^{-1} x", r"\arctan x", True),
        (r"2\pi", "6.2831853", False),
        # undecided: no value that all agree on
        ("(-8)^{1/3}", "-2", None),
        (r"\frac{1}{0}", "2", None),
    ],
)
def test_same_value(first, second, equal):
    assert same_value(read(first), read(second)) is equal
    assert same_value(read(second), read(first)) is equal


def test_real_values_are_right_to_many_digits():
    root = real_value(read(r"\sqrt{2}"))
    assert root is not None
    assert abs(root**2 - 2) < Fraction(1, 10**40)
    assert real_value(read("3+i")) is None
    assert real_value(read("x")) is None


def test_huge_powers_are_not_calculated():
    with pytest.raises(NotExact):
        exact_value(Call("pow", (Fraction(9), Fraction(10**9))))


trees = st.recursive(
    st.integers(-9, 9).map(Fraction) | st.sampled_from("xyz").map(Symbol),
    lambda inner: st.builds(
        lambda name, one, two: Call(name, (one, two)),
        st.sampled_from(["add", "mul"]),
        inner,
        inner,
    ),
    max_leaves=12,
)


def written(tree) -> str:
    if isinstance(tree, Fraction):
        return f"({tree})"
    if isinstance(tree, Symbol):
        return tree.name
    return f"({written(tree.args[0])}{'+' if tree.name == 'add' else ''}{written(tree.args[1])})"


def turned(tree):
    """The same with the operands of every operation exchanged."""
    if not isinstance(tree, Call):
        return tree
    return Call(tree.name, (turned(tree.args[1]), turned(tree.args[0])))


@given(trees)
def test_a_written_tree_is_read_with_its_value(tree):
    assert same_value(read(written(tree)), turned(tree)) is True


@given(trees, st.integers(1, 9))
def test_what_differs_by_a_constant_differs(tree, step):
    assert same_value(tree, Call("add", (tree, Fraction(step)))) is False


@given(st.text(alphabet="0123456789xyef+-*/^_!|(){}[] \\frasqtinlogbmcdp.'%", max_size=40))
def test_reading_gives_a_tree_or_refuses(text):
    try:
        tree = read(text)
    except Unclear:
        return
    try:
        exact_value(tree)
    except (NotExact, NoValue, KeyError):
        return
