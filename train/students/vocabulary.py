"""Embeddings for tokens that a model has never seen: enough rows, and where they start.

A new row starts at the mean of the known ones, in the embedding and in the output head. Random
rows, which transformers would draw, give new tokens logits of any size; a mean row gives a token
at most the mean probability of a token (Hewitt 2021,
https://nlp.stanford.edu/~johnhew/vocab-expansion.html), so the model at first says what it said
before. It needs no random numbers either: the same base gives the same student.

Many models have more rows than tokens already; new tokens take those first. A grown vocabulary is
rounded up to a multiple of 64, which matrix products on a GPU want.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ...pipeline.errors import RequestError
from .tokenizer import token_count

if TYPE_CHECKING:
    from .student import Student

MULTIPLE: Final = 64


def embeddings_for(tokens: int, rows: int) -> int:
    """Rows that an embedding needs to hold so many tokens; never fewer than it has."""
    return rows if tokens <= rows else -(-tokens // MULTIPLE) * MULTIPLE


def fit_vocabulary(model: Any, student: Student) -> None:
    """Give a model as loaded from its folder the rows that the student's tokenizer needs.

    Raises:
        RequestError: new tokens, and weights that are cut into pieces while they are loaded.
    """
    model.get_input_embeddings().padding_idx = student.tokenizer.pad_token_id
    first = student.changes.first
    if first is None:
        return
    _refuse_pieces()
    rows = model.get_input_embeddings().num_embeddings
    tokens = token_count(student.tokenizer)
    size = embeddings_for(tokens, rows)
    if size > rows:
        model.resize_token_embeddings(size, mean_resizing=False)
        # peft would take the rows of a grown vocabulary for trained ones and save all of them.
        model.name_or_path = ""
    fresh = [*range(first, tokens), *range(max(rows, tokens), size)]
    for weight in _vocabulary_weights(model):
        weight.data[fresh] = weight.data[:first].float().mean(dim=0).to(weight.dtype)


def _vocabulary_weights(model: Any) -> Iterator[Any]:
    """Everything that has a row for each token; tied weights twice, to no effect."""
    head = model.get_output_embeddings()
    yield model.get_input_embeddings().weight
    yield head.weight
    if head.bias is not None:
        yield head.bias


def _refuse_pieces() -> None:
    from transformers.integrations import is_deepspeed_zero3_enabled

    if is_deepspeed_zero3_enabled():
        raise RequestError(
            "new tokens (add_tokens, or a template whose control tokens are added) cannot be given "
            "to a model that DeepSpeed ZeRO-3 cuts into pieces while it is loaded. Use FSDP2 or "
            "ZeRO-2, or give them in a step of one process before."
        )
