"""The parts of a completion, folding with its way back, and phrases in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.answers.answer_text import read_part, unwrapped
from potstill.filters.matching.folding import fold
from potstill.filters.matching.phrases import find_phrase
from potstill.filters.refusals.speech import own_words
from potstill.pipeline.sample import new_sample

COMPLETION = "<think>first \\boxed{1}</think>then \\boxed{2}."


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("boxed", "2"),
        ("answer", "then \\boxed{2}."),
        ("thought", "first \\boxed{1}"),
        ("completion", COMPLETION),
    ],
)
def test_a_part_knows_where_it_stands(where, text):
    part = read_part(new_sample((), completion=COMPLETION), where)
    assert part.text == text
    start, end = part.span(0, len(text))
    assert COMPLETION[start:end] == text


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        (" **a** ", "a"),
        ("**a** and **b**", "**a** and **b**"),
        (r"$\text{a}$", "a"),
        ("`**a**`", "a"),
        ("“a”", "a"),
        ('"a" or "b"', '"a" or "b"'),
        ("**", "**"),
        ("''", "''"),
        ("", ""),
    ],
)
def test_only_marks_around_the_whole_are_taken_off(text, inner):
    assert unwrapped(text) == inner


signs = st.text(
    st.sampled_from("aAß ﬁ²½①Ａé’“\u0301\u200b‑−–李\ud800İ\u1100\u1161😀") | st.characters()
)


@given(signs, st.booleans(), st.booleans())
def test_folding_knows_the_way_back(text, case, forms):
    folded = fold(text, case=case, forms=forms)
    before = 0
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert before <= start < end <= len(text)
        before = start
    assert fold(folded.text, case=case, forms=forms).text == folded.text or not forms


@given(signs, signs)
def test_a_phrase_is_found_in_the_text_that_holds_it(before, phrase):
    folded = fold(f"{before} {phrase} {before}", case=True, forms=True)
    if fold(phrase, case=True, forms=True).text.split():
        found = list(find_phrase(folded, phrase, whole=False, case=True, forms=True))
        assert found
        assert all(0 <= start < end <= 2 * len(before) + len(phrase) + 2 for start, end in found)


@given(st.text(st.sampled_from("ab \"“”'’「」`>\n")))
def test_blanking_quotations_keeps_the_length(text):
    blanked = own_words(text)
    assert len(blanked) == len(text)
    assert all(new in (old, " ") for new, old in zip(blanked, text, strict=True))
