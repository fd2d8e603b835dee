"""Checks that potstill's own rows cannot fail, asked of rows that were broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from potstill.models.chat import IGNORED, render_example
from potstill.models.lint.check_mask import (
    ends_once,
    nothing_masked_wrongly,
    prompt_masked,
    row_fully_masked,
)
from potstill.models.lint.check_serving import boundary_merge, double_bos, train_equals_serve
from potstill.models.lint.check_text import text_survives
from potstill.models.lint.finding import Fault
from potstill.models.lint.linted import LintedModel, LintedRow
from potstill.pipeline.sample import Sample

Check = Callable[[LintedRow], Iterator[Fault]]


@pytest.fixture(scope="module")
def row(chatml: Any, single: list[Sample]) -> LintedRow:
    model = LintedModel(chatml, {}, frozenset({chatml.eos_token_id}))
    example = render_example(chatml, single[0].prompt, single[0].completion)
    return LintedRow(model, single[0], example, example.labels)


def relabelled(row: LintedRow, start: int, stop: int | None, label: int | None) -> LintedRow:
    """Labels from `start` on: all `label`, or the tokens themselves."""
    labels = list(row.labels)
    new = row.token_ids[start:stop] if label is None else [label] * len(labels[start:stop])
    labels[start:stop] = new
    return replace(row, labels=labels)


def retokenised(row: LintedRow, token_ids: list[int]) -> LintedRow:
    example = replace(row.example, token_ids=token_ids)
    return LintedRow(row.model, row.sample, example, example.labels)


ALL: tuple[Check, ...] = (
    prompt_masked,
    nothing_masked_wrongly,
    row_fully_masked,
    ends_once,
    text_survives,
    train_equals_serve,
    boundary_merge,
    double_bos,
)


def told(row: LintedRow) -> dict[str, str]:
    return {fault.check: fault.severity for check in ALL for fault in check(row)}


def test_a_right_row(row: LintedRow) -> None:
    assert told(row) == {}


def test_wrong_masks(row: LintedRow) -> None:
    last = len(row.labels) - 1
    assert told(relabelled(row, 3, 5, None)) == {"prompt_masked": "error"}
    assert told(relabelled(row, row.start, row.start + 2, IGNORED)) == {
        "nothing_masked_wrongly": "error"
    }
    assert told(relabelled(row, last, None, IGNORED)) == {
        "nothing_masked_wrongly": "error",
        "ends_once": "error",
    }
    assert told(relabelled(row, row.start, last, IGNORED)) == {
        "nothing_masked_wrongly": "error",
        "row_fully_masked": "error",
    }
    assert set(told(relabelled(row, 0, None, IGNORED))) == {
        "nothing_masked_wrongly",
        "row_fully_masked",
        "ends_once",
    }
    assert told(replace(row, labels=row.labels[:-1]))["nothing_masked_wrongly"] == "error"


def test_wrong_tokens(row: LintedRow) -> None:
    ids, end = row.token_ids, row.model.ending_id
    assert told(retokenised(row, [*ids, end])) == {
        "ends_once": "error",
        "thinking_survives": "error",
    }
    assert set(told(retokenised(row, ids[:-1]))) == {"ends_once", "thinking_survives"}
    assert set(told(retokenised(row, [*ids[:-4], end, *ids[-4:]]))) == {
        "ends_once",
        "thinking_survives",
    }
    other_prompt = [ids[0] + 1, *ids[1:]]
    assert set(told(retokenised(row, other_prompt))) == {"train_equals_serve"}
    bos = row.model.tokenizer.bos_token_id
    doubled = replace(row.example, token_ids=[bos, bos, *ids], completion_start=row.start + 2)
    assert set(told(LintedRow(row.model, row.sample, doubled, doubled.labels))) == {
        "double_bos",
        "train_equals_serve",
    }


def test_the_proof_shows_the_place(row: LintedRow) -> None:
    (fault,) = prompt_masked(relabelled(row, 3, 5, None))
    (shown,) = fault.prove()
    assert (shown.of, shown.at, shown.start) == ("trained", 3, 0)
    assert [piece.id for piece in shown.pieces] == row.token_ids[: len(shown.pieces)]


def test_only_an_end_of_turn_to_learn(
    tokenizer_with: Callable[..., Any], single: list[Sample]
) -> None:
    template = (
        "{%- for m in messages %}<|im_start|>{{ m.role + '\n' + m.content }}<|im_end|>{% endfor %}"
        "{%- if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
    )
    tokenizer = tokenizer_with(template, "<|im_end|>")
    (fault,) = row_fully_masked(linted(tokenizer, single[0], "<think>\n"))
    assert "only the end of turn" in fault.message


def merging(base: Any, normalizer: Any = None) -> Any:
    """The same tokenizer with a token for two line ends, and perhaps a normaliser."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer.from_str(base.backend_tokenizer.to_str())
    if normalizer is not None:
        made.normalizer = normalizer
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=base.eos_token, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = base.chat_template
    return tokenizer


def linted(tokenizer: Any, sample: Sample, completion: str) -> LintedRow:
    changed = replace(sample, completion=completion)
    example = render_example(tokenizer, changed.prompt, changed.completion)
    return LintedRow(LintedModel(tokenizer, {}, frozenset()), changed, example, example.labels)


def test_a_merge_over_the_boundary(chatml: Any, single: list[Sample]) -> None:
    """`assistant⏎` and `⏎7`: most real vocabularies have one token for two line ends."""
    from tokenizers import AddedToken

    tokenizer = merging(chatml)
    tokenizer.add_tokens([AddedToken("\n\n", special=False, normalized=False)])
    (fault,) = boundary_merge(linted(tokenizer, single[0], "\n7"))
    assert fault.severity == "warning"
    trained, together = fault.prove()
    here = trained.at - trained.start
    assert [piece.text for piece in trained.pieces[here : here + 2]] == ["\n", "\n"]
    assert together.pieces[here].text == "\n\n"
    assert not list(boundary_merge(linted(tokenizer, single[0], "7")))


def test_texts_that_a_tokenizer_changes(chatml: Any, single: list[Sample]) -> None:
    from tokenizers import normalizers

    composed = merging(chatml, normalizers.NFC())
    (fault,) = text_survives(linted(composed, single[0], "cafe\u0301"))
    assert (fault.check, fault.severity) == ("text_normalised", "note")
    lower = merging(chatml, normalizers.Lowercase())
    (fault,) = text_survives(linted(lower, single[0], "one Two"))
    assert (fault.check, fault.severity) == ("thinking_survives", "error")
    (shown,) = fault.prove()
    assert shown.pieces[shown.at - shown.start].text == "t"
    compatible = merging(chatml, normalizers.NFKC())
    (fault,) = text_survives(linted(compatible, single[0], "x²"))
    assert (fault.check, fault.severity) == ("text_normalised", "warning")
    squeezing = merging(chatml, normalizers.Replace("\n\n", "\n"))
    (fault,) = text_survives(linted(squeezing, single[0], "one\n\ntwo"))
    assert (fault.check, fault.severity) == ("thinking_survives", "warning")


def test_a_completion_gets_no_space_of_its_own(chatml: Any, single: list[Sample]) -> None:
    """Alone, sentencepiece puts a space before any text; behind the prompt it must not."""
    from tokenizers import normalizers

    spaced = merging(chatml, normalizers.Prepend(" "))
    assert not list(text_survives(linted(spaced, single[0], "7")))
