"""Finding what is said over and over: every loop, nothing else, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.repeating.loops import SHORTEST_LOOP, find_loops, may_loop

letters = st.text("abc", max_size=20)


@given(letters, st.text("abcdefgh", min_size=1, max_size=30), st.integers(3, 9), letters)
def test_a_loop_is_found_between_other_texts(
    before: str, piece: str, times: int, after: str
) -> None:
    text = f"{before}#{piece * times}#{after}"
    begin, end = len(before) + 1, len(before) + 1 + len(piece) * times
    gram = min(12, len(piece) * (times - 2))
    covering = [loop for loop in find_loops(text, gram) if loop.start <= begin and loop.end >= end]
    assert covering or _every_gram_comes_twice(piece, gram)


@given(letters, st.text("abcdefgh ", min_size=1, max_size=90), st.integers(3, 40), letters)
def test_a_text_that_may_not_loop_holds_no_loop(
    before: str, piece: str, times: int, after: str
) -> None:
    text = before + piece * times + after
    long = [loop for loop in find_loops(text, 12) if loop.end - loop.start >= SHORTEST_LOOP]
    assert may_loop(text) or not long


def _every_gram_comes_twice(piece: str, gram: int) -> bool:
    around = piece * (2 + gram // len(piece))
    grams = [around[at : at + gram] for at in range(len(piece))]
    return all(grams.count(each) > 1 for each in grams)


@given(st.text("ab", max_size=60), st.integers(1, 6))
def test_what_is_found_repeats_with_its_period_and_cannot_be_extended(text: str, gram: int) -> None:
    for loop in find_loops(text, gram):
        assert 0 <= loop.start < loop.end <= len(text)
        assert loop.times >= 3
        said = text[loop.start : loop.end]
        assert said[loop.period :] == said[: -loop.period]
        after = text[loop.end : loop.end + 1]
        assert not after or after != text[loop.end - loop.period]


def _fibonacci(length: int) -> str:
    short, long = "a", "ab"
    while len(long) < length:
        short, long = long, long + short
    return long[:length]


HOSTILE = {
    "one letter": "a" * 200_000,
    "fibonacci word": _fibonacci(200_000),
    "loops of all lengths": "".join(f"{'x' * 12}{k}{'y' * (k % 97)}" * 3 for k in range(1_500)),
    "loops in loops": (("ha " * 50 + "said. ") * 3 + "#") * 400,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name: str) -> None:
    """Not timed: a quadratic search of 200,000 characters would run into the test timeout."""
    assert find_loops(HOSTILE[name], 12)
