"""What is blanked before languages are judged, that offsets stay, and that no text is slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.languages.masking import blanked, mask
from potstill.filters.languages.quotations import LONGEST, without_quotations
from potstill.filters.languages.segments import clauses, sentences


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("so $x+y$ is", "so is"),
        ("so \\(x\\) and \\[y\\] is", "so and is"),
        ("so $$\\text{speed}$$ is", "so is"),
        ("it costs $5 and $6 here", "it costs $5 and $6 here"),
        ("run `int main` or\n```\nwhile true\n```\nstop", "run or stop"),
        ("\\begin{align}speed &= 5\\end{align} so", "so"),
        ("\\begin{align}\\begin{cases}a\\end{cases} abc\\end{align} so", "so"),
        ("\\begin{align} open so", "open so"),
        ("\\begin{itemize}\\item First\\end{itemize} so", "First so"),
        ("\\frac{a}{b} and \\boxed{five} \\alpha", "and"),
        ("\\textbf{First} we", "{First} we"),
        ("see https://example.org/words or a@b.org <b>bold</b>", "see or bold"),
        ("a<b and c>d", "a<b and c>d"),
        ("<|im_end|> <｜end▁of▁sentence｜> so", "so"),
        ("use np.array in main.py. Then", "use in . Then"),
        ("run /usr/bin/python and/or stop", "run and/or stop"),
        ("[asy]draw((0,0)--(1,1));[/asy] so", "so"),
        ("an open $ stays", "an open $ stays"),
        ("an open \\[ stays", "an open \\[ stays"),
        ("an open ``` stays", "an open ``` stays"),
        ("\\[ a \\[ b", "\\[ a \\[ b"),
        ("\\[ one\n\ntwo \\]", "\\[ one two \\]"),
    ],
)
def test_math_code_and_links_are_blanked(text, left):
    assert mask(text).split() == left.split()
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    "line",
    [
        "total = 48 + 24",
        "speed = distance / time",
        "for i in range(10):",
        "if x == 3:",
        "while n > 0:",
        "else:",
        "    return total",
        "def area(width, height):",
        "class Circle:",
        "import numpy as np",
        "from math import gcd",
        "print('the total is', total)",
    ],
)
def test_lines_of_code_are_blanked(line):
    assert mask(f"so\n{line}\nthen").split() == ["so", "then"]


@pytest.mark.parametrize(
    "line",
    [
        "total = the number of apples",
        "for the sum we get:",
        "if we assume the following:",
        "while this holds for all numbers:",
        "return to the first step",
        "from there we go on",
        "import taxes are paid by the buyer",
    ],
)
def test_sentences_that_begin_like_code_are_not(line):
    assert mask(f"so\n{line}\nthen") == f"so\n{line}\nthen"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the word “苹果” is here", "the word is here"),
        ('the word "apple pie" is here', "the word is here"),
        ("the words «maison» and „Haus“ are here", "the words and are here"),
        ("the words 「家」『犬』《猫》 are here", "the words are here"),
        ("she said ‘don’t go’ and left the house", "she said and left the house"),
        ("it's 5\" x 6\" for the boys' and girls' room", None),
        ("don't and won't and can't", None),
        ("“all of it”", None),
        ("a lost “ mark and\nan end” elsewhere", None),
        ("“first” “second” “third” x", None),
    ],
)
def test_quotations_are_blanked_while_they_are_the_smaller_part(text, left):
    assert without_quotations(text).split() == (left or text).split()


def test_a_quotation_has_a_longest_length():
    around = "word " * LONGEST
    assert "a" not in without_quotations(f"{around}“{'a' * LONGEST}”")
    assert "a" in without_quotations(f"{around}“{'a' * (LONGEST + 1)}”")


def test_sentences_end_at_the_stops_of_all_scripts():
    text = "It is 3.5 so. “Yes.” No!\n我们。“好。”走！ठीक है। نعم؟ おわり。"
    assert [text[a:b].strip() for a, b in sentences(text)] == [
        *("It is 3.5 so.", "“Yes.”", "No!", "我们。", "“好。”", "走！"),
        *("ठीक है।", "نعم؟", "おわり。"),
    ]


def test_clauses_end_at_commas_and_brackets():
    text = "one, two (three): four，五"
    assert [text[a:b].strip() for a, b in clauses(text, 0, len(text))] == [
        *("one", "two", "three", "four", "五")
    ]


PIECES = st.sampled_from(
    [
        *"$`\\[](){}<>=:.,;\"“”‘’'«»「」\n /_@|~^!?。",
        *("word ", "字", "if x:", "import a", "\ud800", "é", "は"),
        *("\\begin{align}", "\\end{align}", "```", "$$", "\\[", "\\]"),
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text()


@given(TEXTS)
def test_masking_keeps_length_and_what_it_leaves(text):
    for masked in (mask(text), without_quotations(text), without_quotations(mask(text))):
        assert len(masked) == len(text)
        assert all(a in (b, " ") for a, b in zip(masked, text, strict=True))
        assert masked.count("\n") == text.count("\n")


@given(TEXTS)
def test_sentences_are_the_whole_text(text):
    assert "".join(text[a:b] for a, b in sentences(text)) == text


def test_blanking_keeps_line_ends():
    assert blanked("ab\ncd ef", [(1, 4), (6, 8)]) == "a \n d   "


@pytest.mark.parametrize(
    "unit",
    [
        *("$", "\\[", "\\(", "`", "```", "[asy]", "<a", "a@", "a.", "\\text{", "a = ", "$$", "/a"),
        *("\nx = a", "\nif a b", "“", '"a" ', "'a", "‘a", "(", ".)", "\n", "~~~", "://"),
        "\\begin{align}",
    ],
)
def test_hostile_text_takes_linear_time(unit):
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    masked = without_quotations(mask(text))
    assert sum(end - start for start, end in sentences(masked)) == len(text)
    assert time.process_time() - began < 3, "about 0.1 s on two slow cores"
