"""Reading letters, options and claims; the judgements themselves are in cases/choice*.jsonl."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.choice import Choice
from potstill.filters.choices.choice_letters import Letters, plain
from potstill.filters.choices.choice_options import letter_of, options_of
from potstill.filters.keyed import KeyedFilter
from potstill.pipeline.sample import Message, new_sample


def judge(completion, key, prompt="Which?", **config):
    sample = new_sample((Message("user", prompt),), completion=completion, answer=key)
    return Choice(**config).judge_one(sample)


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        ("Pick:\nA. 3\nB. 5\n", {"A": "3", "B": "5"}),
        ("Pick: (A) 3 (B) 5 (C) 7", {"A": "3", "B": "5", "C": "7"}),
        ("Pick:\na) red\nb) blue\n\nAnswer with a letter.", {"A": "red", "B": "blue"}),
        ("选择：\nA．三\nB．五", {"A": "三", "B": "五"}),
        ("A、三 B、五", {"A": "三", "B": "五"}),
        ("Example:\nA. x\nB. y\nNow:\nA. 3\nB. 5", {"A": "3", "B": "5"}),
        ("What is vitamin A. It is good.", {}),
        ("No options here", {}),
        ("", {}),
        ("B. 5\nC. 7", {}),
    ],
)
def test_the_last_list_of_options_in_the_prompt_is_read(prompt, options):
    assert options_of(prompt) == options


def test_an_option_is_found_by_its_text_only_if_no_other_has_it():
    options = {"A": r"\frac12", "B": "3 cm", "C": "3cm", "D": "Paris."}
    assert letter_of(r"$\dfrac12$", options) == "A"
    assert letter_of("3 cm", options) is None
    assert letter_of("**paris**", options) == "D"
    assert letter_of("", {"A": "", "B": "x"}) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("A", "A"),
        ("(A), (C)", "AC"),
        ("ABD", "ABD"),
        ("A、C", "AC"),
        ("A, C is too small", "A"),
        ("A, B and C are wrong", "A"),
        ("A and B", "AB"),
        ("A dog", None),
        ("A because", "A"),
        ("DEAD", None),
        ("BE1", None),
        ("E = mc", None),
        ("C++", None),
        ("b", "B"),
        ("b and so on", "B"),
        ("beta", None),
        ("F", None),
        ("", None),
    ],
)
def test_letters_are_read_at_a_place(text, letters):
    named = Letters(text, "ABCDE").read(0, before_verb=False)
    assert (None if named is None else "".join(sorted(named.letters))) == letters


def test_the_span_in_the_evidence_holds_the_letter():
    completion = "<think>x</think>答案是 **Ｃ**。"
    evidence = judge(completion, "C").evidence
    assert completion[slice(*evidence["answer_span"])] == "Ｃ"
    assert (evidence["answer"], evidence["by"], evidence["key"]) == ("C", "phrase", "C")


@pytest.mark.parametrize("letters", ["", "A", "BCD", "abc", "ABCDEFGHIJK", "AC"])
def test_letters_that_are_no_alphabet_are_refused(letters):
    with pytest.raises(ValidationError, match="letters"):
        Choice(letters=letters)


FORMS = [
    "{}",
    "({})",
    "**{}**",
    r"\boxed{{{}}}",
    r"\boxed{{\text{{{}}}}}",
    "The answer is {}.",
    "Answer: {}",
    "So the correct option is ({}).",
    "答案是{}。",
    "故选：{}",
    "<answer>{}</answer>",
]
keys = st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=4, unique=True).map(sorted)


@given(right=keys, given_=keys, form=st.sampled_from(FORMS), separator=st.sampled_from(["", ", "]))
def test_every_form_of_every_choice_is_read(right, given_, form, separator):
    verdict = judge("<think>t</think>" + form.format(separator.join(given_)), "".join(right))
    assert verdict.score == float(right == given_)


@given(key=st.text(max_size=12) | keys.map(", ".join))
def test_a_readable_key_accepts_itself(key):
    choice = Choice()
    assert isinstance(choice, KeyedFilter)
    verdict = judge(choice.answering(key), key)
    assert verdict.score in (None, 1.0), verdict


@given(st.text())
def test_the_plain_text_has_the_length_of_the_original(text):
    assert len(plain(text)) == len(text)


PIECES = ["选", "A ", "(A", "A or ", "A、", "the answer to ", "\nA. ", "answer is ", "option A is "]


@pytest.mark.parametrize("piece", PIECES)
def test_long_hostile_text_is_judged_in_linear_time(piece):
    """Not timed: quadratic work on 200,000 characters would run into the test timeout."""
    judge(piece * (200_000 // len(piece)) + "x", "A")
