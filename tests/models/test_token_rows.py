"""Rows as tokens: the mask is that of training, and a row that cannot be trained says why."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from potstill.models.chat import render_example
from potstill.models.token_rows import token_row, token_rows
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer(train_bpe(["What is 3 + 4?"] * 2, 300), QWEN)


@pytest.fixture(scope="module")
def rows() -> list[Sample]:
    asked = [(Message("user", f"{number}?"),) for number in range(5)]
    return list(
        with_ids(new_sample(prompt, completion="<think>\n1\n</think>\n2") for prompt in asked)
    )


def test_tokens_and_mask_of_training(tokenizer: Any, rows: list[Sample]) -> None:
    row = token_row(tokenizer, rows[0])
    example = render_example(tokenizer, rows[0].prompt, rows[0].completion)
    assert [piece.id for piece in row.pieces] == example.token_ids
    assert list(row.labels) == example.labels
    assert row.loss_tokens == len(example.token_ids) - example.completion_start
    assert row.pieces[row.ends_turn].text == "<|im_end|>"
    facts = row.facts()
    assert (facts["tokens"], facts["loss_tokens"]) == (len(row.pieces), row.loss_tokens)
    assert [token["loss"] for token in facts["pieces"]].index(True) == example.completion_start


def test_which_rows(tokenizer: Any, rows: list[Sample]) -> None:
    assert [row.id for row in token_rows(tokenizer, rows, limit=2)] == [rows[0].id, rows[1].id]
    for prefix in (rows[3].id[:8], rows[3].prompt_id[:8]):
        assert [row.id for row in token_rows(tokenizer, rows, id=prefix)] == [rows[3].id]
    with pytest.raises(RequestError, match="--id zzz"):
        list(token_rows(tokenizer, rows, id="zzz"))


def test_a_row_without_tokens(tokenizer: Any, rows: list[Sample]) -> None:
    row = token_row(tokenizer, replace(rows[0], completion=None))
    assert (row.pieces, row.loss_tokens) == ((), 0)
    assert str(row.refused).startswith("no_completion")
