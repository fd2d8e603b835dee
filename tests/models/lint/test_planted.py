"""Templates with one planted fault each: found, on the rows that it touches and on no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from potstill.models.lint import CHECKS, lint_rows
from potstill.pipeline.sample import Sample
from potstill.recipes.quickstart.vocabulary import LLAMA, QWEN

Q, L = QWEN.template, LLAMA.template
CONTENT = "message['content']"
OPENING = "'\\n<|im_start|>assistant\\n'"


def changed(old: str, new: str, template: str = Q) -> str:
    assert old in template
    return template.replace(old, new)


PLANTED: list[tuple[str, str | None, dict[str, int]]] = [
    ("nothing", Q, {}),
    ("no template", None, {"error no_template": 0}),
    ("no end of turn", changed(" + '<|im_end|>'", ""), {"error no_end_of_turn": 0}),
    ("no jinja", Q + "{% if %}", {"error template_refuses": 0}),
    ("raises a TypeError", changed(CONTENT, f"({CONTENT} + 1)"), {"error template_refuses": 0}),
    ("writes all in capitals", changed(CONTENT, f"{CONTENT}|upper"), {"error no_end_of_turn": 0}),
    (
        "raises on a system message",
        "{%- if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif -%}" + Q,
        {"error template_refuses": 1},
    ),
    ("EOS twice", changed("'<|im_end|>'", "'<|im_end|><|im_end|>'"), {"warning ends_once": 4}),
    (
        "strips the thinking",
        changed(CONTENT, f"({CONTENT}.split('</think>')|last)"),
        {"warning thinking_survives": 4, "warning history_thinking": 1},
    ),
    (
        "trims",
        changed(CONTENT, f"{CONTENT}|trim"),
        {"warning completion_rewritten": 1, "note prompt_rewritten": 1},
    ),
    (
        "cuts",
        changed(CONTENT, f"{CONTENT}[:20]"),
        {
            "warning thinking_survives": 3,
            "warning completion_rewritten": 1,
            "warning prompt_rewritten": 1,
        },
    ),
    (
        "opens another turn than it renders",
        changed(OPENING, "'\\n<|im_start|>model\\n'"),
        {"warning prompt_is_prefix": 4},
    ),
    (
        "opens no turn",
        changed(OPENING, "''"),
        {"warning no_generation_prompt": 0, "warning completion_rewritten": 4},
    ),
    (
        "drops the system message",
        changed("{{- '<|im_start|>'", "{{- '' if message['role'] == 'system' else '<|im_start|>'"),
        {"warning prompt_rewritten": 1},
    ),
    ("prefills <think>", changed(OPENING, "'\\n<|im_start|>assistant\\n<think>\\n'"), {}),
    (
        "closes thinking",
        changed(OPENING, "'\\n<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n'"),
        {"error think_closed_by_template": 4},
    ),
    (
        "another prompt for content in parts, as vLLM gives it to a template that loops over it",
        changed(
            f"+ {CONTENT} +",
            f"+ ({CONTENT} if {CONTENT} is string else 'parts') +",
            "{%- for message in messages %}{% for part in message['content'] %}{% endfor %}"
            "{% endfor -%}" + Q,
        ),
        {"error train_equals_serve": 4},
    ),
]


@pytest.mark.parametrize(
    ("template", "expected"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_planted(
    tokenizer_with: Callable[..., Any],
    found: Callable[..., dict[str, int]],
    several: list[Sample],
    template: str | None,
    expected: dict[str, int],
) -> None:
    tokenizer = tokenizer_with(template, QWEN.eos)
    assert found(tokenizer, several, "generation_markers") == expected


def test_two_beginnings(
    tokenizer_with: Callable[..., Any], found: Callable[..., dict[str, int]], several: list[Sample]
) -> None:
    doubled = tokenizer_with("{{- bos_token -}}" + L, LLAMA.eos)
    assert found(doubled, several, "generation_markers") == {"error double_bos": 4}


def test_a_prefilled_thought_that_is_opened_again(
    tokenizer_with: Callable[..., Any], several: list[Sample]
) -> None:
    template = changed(OPENING, "'\\n<|im_start|>assistant\\n<think>\\n'")
    tokenizer = tokenizer_with(template, QWEN.eos)
    row = several[0]
    doubled = type(row)("twice", row.prompt_id, row.prompt, "<think>\n<think>\n7\n</think>\n7")
    report = lint_rows(tokenizer, [*several, doubled])
    (kind,) = report.of("warning")
    assert (kind.check, kind.rows) == ("prefilled_think", ["twice"])
    (shown,) = kind.examples[0].excerpts
    assert [piece.text for piece in shown.pieces[-8:-4]] == ["<think>", "\n", "7", "\n"]
    assert shown.pieces[shown.at - shown.start].text == "<think>"


def test_findings_name_known_checks(
    tokenizer_with: Callable[..., Any], several: list[Sample]
) -> None:
    for _, template, _ in PLANTED:
        report = lint_rows(tokenizer_with(template, QWEN.eos), several)
        for kind in report.facts()["findings"]:
            assert kind["check"] in CHECKS
            assert kind["examples"]
