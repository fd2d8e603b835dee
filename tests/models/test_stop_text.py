"""Stop texts for an engine that knows only tokens, against the plainest way to find them."""

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.local_model import LocalModel
from potstill.models.sampling import Sampling
from potstill.models.stop_text import stop_text

END = 0
PIECES = {1: b"a", 2: b"b", 3: b"ab", 4: b"ba\n", 5: b"\xe4", 6: b"\xbd\xa0", 7: b"\n\n"}
"""5 and 6 together are one character of three bytes."""


class Bytes:
    """A tokenizer of a few byte strings, which decodes as those of real models do."""

    def decode(self, tokens: list[int], **_: Any) -> str:
        return b"".join(PIECES[token] for token in tokens).decode(errors="replace")


MODEL = LocalModel("m", Bytes(), 100, frozenset({END}), {})
TOKENS = st.lists(st.sampled_from(sorted(PIECES)), max_size=12)
STOPS = st.lists(st.text("ab\n你", min_size=1, max_size=3), min_size=1, max_size=3)


def by_hand(stops: list[str], least: int, tokens: list[int]) -> tuple[int, str] | None:
    """Token after token, as if they arrived: which one completes a stop text?"""
    seen = 0
    for count in range(1, len(tokens) + 1):
        text = MODEL.decode(tokens[:count]).rstrip("\ufffd")
        fresh = [(text.find(s, max(0, seen - len(s) + 1)), s) for s in stops]
        ends = [(at + len(stop), at) for at, stop in fresh if at >= 0 and at + len(stop) > seen]
        if ends and count > least:
            return count, text[: min(ends, key=lambda each: each[0])[1]]
        seen = len(text)
    return None


@given(TOKENS, STOPS, st.integers(0, 3))
def test_the_first_stop_text_that_is_complete_ends_it(
    tokens: list[int], stops: list[str], least: int
) -> None:
    sampling = Sampling(stop=tuple(stops), min_tokens=least or None)
    found = stop_text(MODEL, sampling, [*tokens, END])
    expected = by_hand(stops, least, tokens)
    assert (found and (len(found[0]), found[1])) == expected


@pytest.mark.parametrize(
    ("tokens", "stop", "text"),
    [
        ([1, 2, 1], "ba", "a"),  # spread over two tokens
        ([1, 7, 1], "\n", "a"),  # inside one token: what follows it there is cut too
        ([5, 6, 1], "你", ""),
        ([1, 2], "c", None),
        ([], "a", None),
    ],
)
def test_where_it_is_cut(tokens: list[int], stop: str, text: str | None) -> None:
    found = stop_text(MODEL, Sampling(stop=(stop,)), tokens)
    assert (found and found[1]) == text


@settings(deadline=None)  # the first call imports torch
@given(st.lists(TOKENS.filter(bool), min_size=1, max_size=3), STOPS, st.integers(0, 3))
def test_the_running_check_ends_a_row_where_the_cut_will_be(
    rows: list[list[int]], stops: list[str], least: int
) -> None:
    torch = pytest.importorskip("torch")
    from potstill.models.stop_text import stopping_criteria

    sampling = Sampling(stop=tuple(stops), min_tokens=least or None)
    over = stopping_criteria(MODEL, sampling, 2, threading.Event())
    for row in rows:
        expected = by_hand(stops, least, row)
        told = [
            bool(over(torch.tensor([[1, 1, *row[:count]]]), None)[0])
            for count in range(1, len(row) + 1)
        ]
        first = told.index(True) + 1 if True in told else None
        assert first == (expected and expected[0])


def test_closing_ends_every_row() -> None:
    torch = pytest.importorskip("torch")
    from potstill.models.stop_text import stopping_criteria

    closing = threading.Event()
    over = stopping_criteria(MODEL, Sampling(), 1, closing)
    rows = torch.tensor([[1, 1], [1, 2]])
    assert over(rows, None).tolist() == [False, False]
    closing.set()
    assert over(rows, None).tolist() == [True, True]
