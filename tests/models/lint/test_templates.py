"""What the lint finds in the templates that trl ships, single turn and with a turn before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from potstill.models.chat import end_of_turn
from potstill.models.lint import lint_rows
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids

Found = dict[str, int]
NONE: Found = {}
HISTORY = {"warning history_thinking": 1}
DROPS = {"warning thinking_survives": 2, "warning history_thinking": 1}

# template, findings on two rows: one question, and the same with an earlier answered turn
TABLE: list[tuple[str, Found]] = [
    ("cohere", NONE),
    ("cohere2", NONE),
    ("deepseek_r1_distill", DROPS),
    ("deepseek_r1_distill_training", NONE),
    ("deepseekv3", DROPS),
    ("gemma", NONE),
    ("gemma3", NONE),
    ("gemma4", NONE),
    ("glm4moe", {"error no_end_of_turn": 0}),
    # It puts the thought on another line, and in earlier turns leaves it out.
    ("glm4moe_training", {**HISTORY, "note completion_rewritten": 2}),
    # <|channel|>final is put before the completion, and the date into the system message.
    ("gptoss", {"warning completion_rewritten": 2, "warning depends_on_clock": 2}),
    ("idefics3", {"error no_end_of_turn": 0}),
    ("lfm2", NONE),
    ("lfm2_2_5", HISTORY),
    ("llama3", NONE),
    ("llama3_1", NONE),
    ("llama3_2", {"warning depends_on_clock": 2}),
    ("nemotron_3_nano", HISTORY),
    ("phi3", {"note ends_once": 2}),
    ("phi3_5", {"note ends_once": 2}),
    ("qwen2_5", NONE),
    ("qwen2_5_vl", NONE),
    ("qwen3", {**HISTORY, "note completion_rewritten": 1}),
    ("qwen3_5_nothink", {"error think_closed_by_template": 2}),
    ("qwen3_5_think", {**HISTORY, "note completion_rewritten": 1}),
    ("qwen3_instruct_2507", NONE),
    # Renders the thoughts of all turns, with its own line ends.
    ("qwen3_training", {"note completion_rewritten": 1, "note prompt_rewritten": 1}),
]


@pytest.fixture(scope="module")
def rows() -> list[Sample]:
    ask = Message("user", "What is 3 + 4?")
    answer = "<think>\n3 + 4 = 7\n</think>\nThe answer is 7."
    turns = (ask, Message("assistant", answer), Message("user", "And 5 + 5?"))
    asked = [((ask,), answer), (turns, "<think>\nten\n</think>\n\n10")]
    return list(with_ids(new_sample(prompt, completion=text) for prompt, text in asked))


@pytest.mark.parametrize(("name", "expected"), TABLE)
def test_templates_of_trl(
    tokenizer_with: Callable[..., Any],
    trl_template: Callable[[str], str],
    found: Callable[..., Found],
    rows: list[Sample],
    name: str,
    expected: Found,
) -> None:
    tokenizer = tokenizer_with(trl_template(name))
    hidden = ("generation_markers", "server_stops")  # the tests of the model checks have these
    assert found(tokenizer, rows, *hidden) == expected


def test_a_dropped_thought_is_shown_on_the_tokens_of_both(
    tokenizer_with: Callable[..., Any], trl_template: Callable[[str], str], single: list[Sample]
) -> None:
    """trl's deepseek_r1_distill.jinja, the loudest complaint of the field."""
    tokenizer = tokenizer_with(trl_template("deepseek_r1_distill"), "<｜end▁of▁sentence｜>")
    assert end_of_turn(tokenizer) == "<｜end▁of▁sentence｜>"
    report = lint_rows(tokenizer, single)
    (kind,) = (kind for kind in report.of("warning") if kind.check == "thinking_survives")
    (example,) = kind.examples
    assert example.row == single[0].id
    trained, rendered = example.excerpts
    assert trained.at == rendered.at
    here = trained.at - trained.start
    assert [piece.text for piece in trained.pieces[here : here + 3]] == ["<think>", "\n", "3"]
    after = "".join(piece.text for piece in rendered.pieces[here:])
    assert after.startswith("\nThe answer is 7.")


def test_enable_thinking_reaches_the_template(
    tokenizer_with: Callable[..., Any],
    trl_template: Callable[[str], str],
    found: Callable[..., Found],
    single: list[Sample],
) -> None:
    tokenizer = tokenizer_with(trl_template("qwen3"), "<|im_end|>")
    kwargs = {"enable_thinking": False}
    refused = found(tokenizer, single, "generation_markers", template_kwargs=kwargs)
    assert refused == {"error think_closed_by_template": 1}


def test_a_date_that_is_named_stands_still(
    tokenizer_with: Callable[..., Any],
    trl_template: Callable[[str], str],
    found: Callable[..., Found],
    single: list[Sample],
) -> None:
    tokenizer = tokenizer_with(trl_template("llama3_2"), "<|eot_id|>")
    told = found(tokenizer, single, template_kwargs={"date_string": "26 Jul 2024"})
    assert told == {"note generation_markers": 0}
