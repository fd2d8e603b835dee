r"""Parts that find a final answer: sentences, expressions in prose, what an expression claims."""

import pytest

from potstill.filters.answers.answer_value import agree, claimed_value
from potstill.filters.answers.prose_expressions import expressions
from potstill.filters.answers.sentences import sentences


@pytest.mark.parametrize(
    "text",
    [
        "It is 3.5 cm.| So be it.",
        "It is 569.| So 5.",
        "See e.g. Fig. 3, i.e. no. 7 of Dr. Who.| Then?| Yes!",
        "It is 5!| Great",
        "There are 5! = 120 ways.",
        "一共3.5元。|对吗？|对！|好",
        "First|\n- one|\n- two|\n1. three|\n2. four.",
        "A title|\n# Next|\nText goes\non here, and\nThere",
        "The value is\n$$5$$\nor\n$$6$$|\nThat is all",
        r"Here $a. B. c$ is math.| And \[ x. Y \] too.",
        "**Bold.**| (Aside.)| End",
        "Hmm... what|\n\nOh...| What",
        "It costs $5.| He has $3.| Fine.",
        "x = 2\ny = 3",
        r"x = \boxed{2}|" + "\n" + r"\boxed{3}",
    ],
)
def test_sentences(text):
    """The bars show where one ends."""
    parts = [part.strip() for part in text.split("|")]
    text = text.replace("|", "")
    assert [text[start:end] for start, end in sentences(text, 0, len(text))] == parts


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3 + 4 = 7", "7"),
        ("x = 5", "x = 5"),
        ("x = 2 + 3 = 5", "x = 5"),
        (r"2x = 10 \Rightarrow x = 5", "x = 5"),
        ("2x = 10", "2x = 10"),
        ("y = 2x + 1", "y = 2x + 1"),
        ("x^2+y^2=25", "x^2+y^2 = 25"),
        ("2ab = 6", "2ab = 6"),
        ("f(2) = 5", "5"),
        ("f(x) = x^2 + 1", "f(x) = x^2 + 1"),
        (r"\angle ABC = 60^\circ", r"60^\circ"),
        (r"P(X > 2) = \frac{1}{6}", r"\frac{1}{6}"),
        ("(x, y) = (3, 4)", "(3, 4)"),
        ("10 = x", "10 = x"),
        (r"\frac{10}{3} \approx 3.33", r"\frac{10}{3}"),
        (r"22/7 * 3 \approx 9.43", "9.43"),
        (r"x \approx 3.14", "x = 3.14"),
        (r"\approx 3.14", "3.14"),
        ("111,000*9 = 999,000", "999,000"),
        ("10x6 = 60", "60"),
        ("3:4", "3:4"),
        ("< 12", "< 12"),
        ("x = 1, y = 2", "x = 1, y = 2"),
        (r"x=1 \text{ or } x=2", r"x=1 \text{ or } x=2"),
        (r"\begin{aligned} x &= 2+3 \\ &= 5 \end{aligned}", "x = 5"),
        (r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}", r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}"),
        (r"\sum_{i=1}^{3} i = 6", r"\sum_{i=1}^{3} i = 6"),
        ("面积=12", "12"),
        ("", ""),
        ("=", ""),
    ],
)
def test_what_an_expression_claims(expression, value):
    assert claimed_value(expression) == value


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1/2", "0.5", True),
        ("x = 5", "5", True),
        ("3 + 4 = 7", "7", True),
        ("1,000", "1000", True),
        ("x+1", "x+1", True),
        ("5", "6", False),
        ("x+1", "1+x", False),  # not surely: nothing is evaluated
    ],
)
def test_two_answers_agree_only_where_that_is_sure(first, second, same):
    assert agree(first, second) is same


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She makes $18 every day.", ["$18"]),
        ("So $x=5$ and $y = 3$.", ["x=5", "y = 3"]),
        ("She sold 48/2 = 24 clips.", ["48/2 = 24"]),
        ("9 * 2 = $<<9*2=18>>18 a day", ["9 * 2 = 18"]),
        (r"2\frac{1}{2} or 12\pi \text{ cm}^2", [r"2\frac{1}{2}", r"12\pi \text{ cm}^2"]),
        ("from $18 to $20", ["$18", "$20"]),
        ("3 hours 20 minutes, 5 million dollars", ["3 hours 20 minutes", "5 million dollars"]),
        ("3元5角和60×5=300（米）", ["3元5角", "60×5=300米"]),
        ("(2, 3), [1, 2) and (about 5 dollars)", ["(2, 3)", "[1, 2)", "5 dollars"]),
        ("- 5 apples\n2. 6 pears", ["5", "6"]),
        ("x = -5, is - 5, covid-5", ["x = -5", "- 5", "5"]),
        ("| Total | 12 |", ["12"]),
        (r"\frac{1}{2", [r"\frac{1}", "2"]),
        ("a plain word", []),
    ],
)
def test_expressions_in_prose(text, found):
    assert [one.text for one in expressions(text, 0, len(text))] == found
