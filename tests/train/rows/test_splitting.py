"""The pieces of a long row train each of its tokens exactly once, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.models.chat import IGNORED
from potstill.train.rows.splitting import NoRoom, TokenRow, split_row


def a_row(prompt: int, completion: int) -> TokenRow:
    ids = list(range(prompt + completion))
    return TokenRow(ids, [IGNORED] * prompt + ids[prompt:])


@given(st.integers(1, 60), st.integers(1, 600), st.integers(8, 100))
def test_every_token_is_trained_once_in_order(prompt: int, completion: int, longest: int) -> None:
    row = a_row(prompt, completion)
    if longest - prompt < max(2, longest // 4):
        with pytest.raises(NoRoom):
            split_row(row, prompt, longest)
        return
    pieces = split_row(row, prompt, longest)
    trained = [label for piece in pieces for label in piece.labels if label != IGNORED]
    assert trained == row.input_ids[prompt:]
    assert sum(piece.loss_tokens for piece in pieces) == row.loss_tokens
    for number, piece in enumerate(pieces):
        assert len(piece.input_ids) == len(piece.labels) <= longest
        assert piece.input_ids[:prompt] == row.input_ids[:prompt]
        labelled = [at for at, label in enumerate(piece.labels) if label != IGNORED]
        assert labelled == list(range(labelled[0], len(piece.labels)))  # trained to its end
        # What a trained token is predicted from is the token before it in the row itself, but for
        # the first of the completion; and in each later piece that token is context.
        first = labelled[0]
        assert piece.input_ids[first] - piece.input_ids[first - 1] == 1
        assert (first == prompt) is (number == 0)


def test_pieces_as_drawn() -> None:
    ids = list(range(12))
    labels = [IGNORED, IGNORED, *ids[2:]]
    assert split_row(TokenRow(ids, labels), 2, 6) == [
        TokenRow([0, 1, 2, 3, 4, 5], [IGNORED, IGNORED, 2, 3, 4, 5]),
        TokenRow([0, 1, 5, 6, 7, 8], [IGNORED, IGNORED, IGNORED, 6, 7, 8]),
        TokenRow([0, 1, 8, 9, 10, 11], [IGNORED, IGNORED, IGNORED, 9, 10, 11]),
    ]


def test_earlier_turns_are_trained_in_the_first_piece_only() -> None:
    ids = list(range(20))
    labels = [IGNORED, IGNORED, 2, 3, IGNORED, *ids[5:]]
    pieces = split_row(TokenRow(ids, labels), 5, 10)
    assert pieces[0].labels[:5] == labels[:5]
    assert all(piece.labels[:5] == [IGNORED] * 5 for piece in pieces[1:])
