"""Preference pairs in each form that datasets write them in; a row is used whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from potstill.pipeline.sample import SAMPLE_SCHEMA, with_ids
from potstill.stages.reading.columns import meaning
from potstill.stages.reading.preference import with_sides
from potstill.stages.reading.rows import BadRow

THOUGHT = "<think>\nt\n</think>\n\n4"


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def said(text: str, **more: str) -> dict[str, str]:
    return {"role": "assistant", "content": text, **more}


def gpt(text: str, who: str = "gpt") -> dict[str, str]:
    return {"from": who, "value": text}


FORMS: dict[str, tuple[dict[str, Any], list[str], tuple[str, str]]] = {
    "texts": ({"prompt": "2+2", "chosen": THOUGHT, "rejected": "5"}, ["2+2"], (THOUGHT, "5")),
    "texts and a question": (
        {"system": "Be brief.", "question": "2+2", "chosen": "4", "rejected": "5"},
        ["Be brief.", "2+2"],
        ("4", "5"),
    ),
    "a prompt of turns and texts": (
        {"prompt": [user("a"), said("b"), user("c")], "chosen": "4", "rejected": "5"},
        ["a", "b", "c"],
        ("4", "5"),
    ),
    "a prompt and answers of one turn": (
        {"prompt": [user("2+2")], "chosen": [said("4")], "rejected": [said("5")]},
        ["2+2"],
        ("4", "5"),
    ),
    "whole conversations": (
        {
            "chosen": [user("a"), said("b"), user("c"), said("4")],
            "rejected": [user("a"), said("b"), user("c"), said("5")],
        },
        ["a", "b", "c"],
        ("4", "5"),
    ),
    "whole conversations and their prompt": (
        {"prompt": "2+2", "chosen": [user("2+2"), said("4")], "rejected": [user("2+2"), said("5")]},
        ["2+2"],
        ("4", "5"),
    ),
    "a thought that stands apart": (
        {
            "chosen": [user("2+2"), said("4", reasoning_content="t")],
            "rejected": [user("2+2"), said("5")],
        },
        ["2+2"],
        (THOUGHT, "5"),
    ),
    "a thought beside an answer of one turn": (
        {"prompt": "2+2", "chosen": [said("4", reasoning="t")], "rejected": [said("5")]},
        ["2+2"],
        (THOUGHT, "5"),
    ),
    "ShareGPT's turns": (
        {"chosen": [gpt("2+2", "human"), gpt("4")], "rejected": [gpt("2+2", "human"), gpt("5")]},
        ["2+2"],
        ("4", "5"),
    ),
    "conversations as text": (
        {
            "chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: 4",
            "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: Human: 5",
        },
        ["a", "b", "c"],
        ("4", "Human: 5"),
    ),
}


@pytest.mark.parametrize(("row", "prompt", "sides"), FORMS.values(), ids=FORMS.keys())
def test_each_form_is_a_better_and_a_worse_sample(
    row: dict[str, Any], prompt: list[str], sides: tuple[str, str]
) -> None:
    means, _ = meaning(None, {}, "here").for_rows([row])
    assert means.of_pairs
    samples = [sample for sample, _ in means.samples(row)]
    assert [sample.completion for sample in samples] == list(sides)
    assert [[turn.content for turn in sample.prompt] for sample in samples] == [prompt, prompt]
    assert {sample.extra for sample in samples} == {"{}"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no worse one": ({"prompt": "a", "chosen": "b"}, "missing:rejected"),
    "a number": ({"prompt": "a", "chosen": "b", "rejected": 3}, "wrong_type:rejected"),
    "no turns": ({"prompt": "a", "chosen": [], "rejected": []}, "no_completion"),
    "a question at the end": (
        {"chosen": [user("a"), said("b")], "rejected": [user("a"), user("b")]},
        "no_completion",
    ),
    "another prompt": (
        {"chosen": [user("a"), said("b")], "rejected": [user("x"), said("c")]},
        "two_prompts",
    ),
    "another column": (
        {"prompt": "x", "chosen": [user("a"), said("b")], "rejected": [user("a"), said("c")]},
        "two_prompts",
    ),
    "no prompt": ({"chosen": "b", "rejected": "c"}, "missing_prompt"),
    "an unknown role": (
        {
            "chosen": [{"role": "tool", "content": "a"}, said("b")],
            "rejected": [{"role": "tool", "content": "a"}, said("c")],
        },
        "unknown_role",
    ),
}


@pytest.mark.parametrize(("row", "reason"), BAD.values(), ids=BAD.keys())
def test_a_row_with_one_bad_side_is_a_bad_row(row: dict[str, Any], reason: str) -> None:
    means, _ = meaning(None, {}, "here", shape="preference").for_rows([row])
    with pytest.raises(BadRow, match=f"^{reason}$"):
        means.samples(row)


def test_pairs_are_numbered_over_all_that_is_written() -> None:
    row = FORMS["texts"][0]
    means, _ = meaning(None, {}, "here").for_rows([row])
    made = list(with_ids(sample for _ in range(2) for sample, _ in means.samples(row)))
    table = SAMPLE_SCHEMA.empty_table().from_pylist(
        [each.to_row() for each in made], schema=SAMPLE_SCHEMA
    )
    found = with_sides(table, before=6).to_pylist()
    told = [(each["pair"], each["side"]) for each in found]
    assert told == [(3, "chosen"), (3, "rejected"), (4, "chosen"), (4, "rejected")]
    assert with_sides(table.slice(0, 0), before=0).num_rows == 0
