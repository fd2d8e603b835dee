r"""Finding `\boxed{…}` by its braces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.answers.boxed import find_boxes


@pytest.mark.parametrize(
    ("text", "contents", "unclosed"),
    [
        ("no box", [], False),
        (r"\boxed{5}", ["5"], False),
        (r"\boxed {5} and \fbox{6}", ["5", "6"], False),
        (r"\boxed{\frac{1}{2}}", [r"\frac{1}{2}"], False),
        (r"\boxed{\{1, 2\}}", [r"\{1, 2\}"], False),
        (r"\boxed{\left\{ x \right.}", [r"\left\{ x \right."], False),
        (r"\boxed{}", [""], False),
        (r"\boxed{5", [], True),
        (r"\boxed{4} then \boxed{5", ["4"], True),
        (r"\boxed{\frac{1}{2}", [], True),
        (r"\boxed{never closed, but \boxed{3}", ["3"], False),
        (r"\boxed{x = \boxed{3}}", [r"x = \boxed{3}", "3"], False),
        (r"{ \boxed{5}", ["5"], False),
        (r"} \boxed{5} }", ["5"], False),
        (r"\boxed 5", ["5"], False),
        (r"\boxed5.", ["5"], False),
        (r"\boxed 1,234.5, then", ["1,234.5"], False),
        (r"\boxed\frac{1}{2}", [r"\frac{1}{2}"], False),
        (r"\boxed\frac12", [r"\frac12"], False),
        (r"\boxed -\sqrt{2}", [r"-\sqrt{2}"], False),
        (r"in \boxed form", [], False),
        (r"\boxedsomething{5}", [], False),
        (r"\\boxed{5}", ["5"], False),
        (r"a \\\boxed{5}", ["5"], False),
        ("\x08oxed{5} \x0cbox{6}", ["5", "6"], False),
        ("boxed{5}", ["5"], False),
        ("unboxed{5} boxed 5", [], False),
        (r"\boxed{a\\}", [r"a\\"], False),
    ],
)
def test_boxes(text, contents, unclosed):
    found = find_boxes(text)
    assert [text[a:b] for a, b in found.contents] == contents
    assert found.last_is_unclosed is unclosed


def test_the_innermost_boxes_hold_no_other():
    text = r"\boxed{x = \boxed{3}} \boxed{4} \boxed{\boxed{5}, \boxed{6}}"
    assert [text[a:b] for a, b in find_boxes(text).innermost()] == ["3", "4", "5", "6"]
    assert find_boxes("none").innermost() == []


def test_an_open_box_says_where_it_begins():
    text = r"\boxed{4} \boxed{5"
    assert find_boxes(text).left_open == len(text) - 1


def test_the_search_begins_where_it_is_told():
    text = r"\boxed{1}</think>\boxed{2}"
    ((start, end),) = find_boxes(text, text.index("</think>")).contents
    assert text[start:end] == "2"


pieces = st.lists(st.sampled_from([r"\boxed{", "{", "}", r"\{", r"\}", "\\", "a"]))


@given(pieces.map("".join))
def test_contents_have_balanced_braces(text: str):
    for start, end in find_boxes(text).contents:
        bare = text[start:end].replace("\\\\", "").replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")
