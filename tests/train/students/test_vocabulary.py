"""Rows for new tokens: enough of them, at the mean of the known ones, nothing else touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from potstill.train.settings import TrainingSettings
from potstill.train.students.loading import load_weights, read_weights
from potstill.train.students.student import open_student
from potstill.train.students.vocabulary import embeddings_for

MakeBase = Callable[..., Path]


@pytest.mark.parametrize(
    ("tokens", "rows", "needed"),
    [(320, 320, 320), (300, 320, 320), (321, 320, 384), (384, 320, 384), (385, 384, 448)],
)
def test_rows_needed(tokens: int, rows: int, needed: int) -> None:
    assert embeddings_for(tokens, rows) == needed


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("spare", [0, 1, 70])
def test_new_rows_are_the_mean_of_the_known_ones(base: MakeBase, tied: bool, spare: int) -> None:
    import torch
    from transformers import AutoTokenizer

    folder = base(tied=tied, spare=spare)
    student = open_student(folder, "./base", TrainingSettings(add_tokens=("<think>", "</think>")))
    before, after = read_weights(folder, "float32"), load_weights(student, "float32")
    known = len(AutoTokenizer.from_pretrained(folder))
    assert student.changes.first == known
    for each in ("get_input_embeddings", "get_output_embeddings"):
        old, new = getattr(before, each)().weight, getattr(after, each)().weight
        assert len(new) == after.config.vocab_size == student.vocabulary
        assert len(new) == (known + spare if spare == 70 else embeddings_for(known + 2, known))
        torch.testing.assert_close(new[:known], old[:known], rtol=0, atol=0)
        mean = old[:known].mean(dim=0).expand(2, -1)
        torch.testing.assert_close(new[known : known + 2], mean)
        if spare == 70:  # rows that no token has are left alone
            torch.testing.assert_close(new[known + 2 :], old[known + 2 :], rtol=0, atol=0)
    shared = after.get_input_embeddings().weight is after.get_output_embeddings().weight
    assert shared is tied
    assert after.get_input_embeddings().padding_idx == student.tokenizer.pad_token_id


def test_at_first_the_model_says_what_it_said(base: MakeBase) -> None:
    """A mean row gives a new token at most the mean probability of a token."""
    import torch

    folder = base(tied=False)
    student = open_student(folder, "./base", TrainingSettings(add_tokens=("<think>", "</think>")))
    before, after = read_weights(folder, "float32"), load_weights(student, "float32")
    tokens = torch.arange(5, 60)[None]
    with torch.no_grad():
        old, new = (model(tokens).logits.softmax(dim=-1)[0] for model in (before, after))
    known = old.shape[1]
    assert new.shape[1] > known
    assert new[:, known:].max() <= 1 / known
    torch.testing.assert_close(new[:, :known] / new[:, :known].sum(dim=-1, keepdim=True), old)
