"""Changes between texts: the pieces make up both texts, and long sameness is cut and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.views import text_changes as module
from potstill.views.text_changes import Piece, text_changes

WORDS = st.lists(st.sampled_from(["so", "it", "is", " ", "\n", "深", "度", "42", "."]), max_size=40)


@given(WORDS, WORDS)
def test_the_pieces_are_the_texts(ours: list[str], theirs: list[str]) -> None:
    here, there = "".join(ours), "".join(theirs)
    pieces = text_changes(here, there)
    if not any(piece.what == "left_out" for piece in pieces):
        assert "".join(p.text for p in pieces if p.what != "added") == here
        assert "".join(p.text for p in pieces if p.what != "removed") == there
    assert (here == there) == all(piece.what in ("same", "left_out") for piece in pieces)


@pytest.mark.parametrize(
    ("here", "there", "pieces"),
    [
        ("so it is", "so is it not",
         [("same", "so "), ("added", "is "), ("same", "it "), ("removed", "is"),
          ("added", "not")]),
        ("深度思考", "深度学习", [("same", "深度"), ("removed", "思考"), ("added", "学习")]),
        ("x = 41", "x = 42", [("same", "x = "), ("removed", "41"), ("added", "42")]),
        ("", "new", [("added", "new")]),
    ],
)  # fmt: skip
def test_words(here: str, there: str, pieces: list[tuple[str, str]]) -> None:
    assert text_changes(here, there) == [Piece(*piece) for piece in pieces]


def test_long_sameness_is_cut_and_counted() -> None:
    pieces = text_changes("a " * 500 + "left" + " z" * 500, "a " * 500 + "right" + " z" * 500)
    assert [piece.what for piece in pieces] == [
        "left_out", "same", "removed", "added", "same", "left_out",
    ]  # fmt: skip
    assert pieces[0].text == str(1000 - module.CONTEXT)
    assert len(pieces[1].text) == module.CONTEXT


def test_very_long_differences_are_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WORDS", 3)
    pieces = text_changes("a b c d e", "f g h i j")
    assert [piece.what for piece in pieces] == ["removed", "added"]
