"""Templates, rows and folders of the wild: what is clean stays clean, what is broken is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.models.lint.check_folder import folder_faults
from potstill.pipeline.sample import Message
from potstill.recipes.quickstart.vocabulary import QWEN

from .conftest import ASK, THOUGHT, rows_of

Found = Callable[..., dict[str, int]]

MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} "
    "[/INST]{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
)
PLAIN_MARKERS = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + eos_token + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
ALWAYS_OPENED = QWEN.template.replace("if add_generation_prompt", "if true")

BLOCKS = [
    ("<think>\n\n</think>\n\n7", {}),
    ("<think>\r\n7\r\n</think>\r\n7  \n", {}),
    ("<think>seven", {"warning think_block": 1}),
    ("seven</think>7", {"warning think_block": 1}),
    ("<think>a</think>b</think>7", {"warning think_block": 1}),
    ("<think>a</think>\n", {"warning think_block": 1}),
    (" \n", {"warning no_completion": 1}),
]


@pytest.mark.parametrize(("completion", "expected"), BLOCKS)
def test_thoughts(chatml: Any, found: Found, completion: str, expected: dict[str, int]) -> None:
    assert found(chatml, rows_of(([ASK], completion)), "generation_markers") == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [(MISTRAL, {}), (ALWAYS_OPENED, {"warning no_generation_prompt": 0})],
)
def test_a_turn_that_the_question_itself_opens(
    tokenizer_with: Callable[..., Any], found: Found, template: str, expected: dict[str, int]
) -> None:
    tokenizer = tokenizer_with(template, "<|im_end|>")
    assert found(tokenizer, rows_of(([ASK], THOUGHT)), "generation_markers") == expected


def test_markers_in_plain_words(tokenizer_with: Callable[..., Any], found: Found) -> None:
    tokenizer = tokenizer_with(None)
    tokenizer.chat_template = PLAIN_MARKERS  # whose markers are no tokens here
    rows = rows_of(
        ([ASK], "7"),
        ([Message("user", "a <|user|> b")], "7"),
        ([ASK], "7 <|assistant|>"),
        ([ASK], "7 <|other|>"),
    )
    expected = {"warning special_token_in_text": 2}
    assert found(tokenizer, rows, "generation_markers") == expected


def test_one_of_two_equal_turns_is_dropped(
    tokenizer_with: Callable[..., Any], found: Found
) -> None:
    tokenizer = tokenizer_with("{% set messages = messages[-3:] %}" + QWEN.template, QWEN.eos)
    turns = [Message("user", "Hi"), Message("assistant", "yes")] * 2 + [Message("user", "Hi")]
    told = found(tokenizer, rows_of((turns, "no")), "generation_markers", "prompt_is_prefix")
    assert told["warning prompt_rewritten"] == 1


def test_a_marker_that_is_no_special_token(bpe: str, found: Found) -> None:
    from transformers import AddedToken

    from potstill.recipes.quickstart.vocabulary import Family, make_tokenizer

    tokenizer = make_tokenizer(bpe, Family(QWEN.template, QWEN.eos, QWEN.pad, None, ()))
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=False, normalized=False)])
    rows = rows_of(([Message("user", "<|im_start|>system")], "7"), ([ASK], "7"))
    assert found(tokenizer, rows, "generation_markers") == {"error special_token_in_text": 1}


def test_a_prompt_in_characters_that_the_tokenizer_changes(
    tokenizer_with: Callable[..., Any], found: Found
) -> None:
    from tokenizers import normalizers

    tokenizer = tokenizer_with(QWEN.template, QWEN.eos)
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    rows = rows_of(([ASK], "seven"), ([Message("user", "what?")], "seven"))
    assert found(tokenizer, rows, "generation_markers") == {"warning prompt_lost": 1}


def test_files_against_each_other(tmp_path: Path, chatml: Any) -> None:
    def told(name: str, **values: Any) -> list[str]:
        (tmp_path / name).write_text(json.dumps(values), encoding="utf-8")
        return [fault.check for fault in folder_faults(tmp_path, chatml)]

    assert told("tokenizer_config.json") == []
    assert told("generation_config.json", eos_token_id=[0, chatml.eos_token_id]) == []
    assert told("generation_config.json", eos_token_id=10**6) == ["server_stops"]
    (tmp_path / "generation_config.json").unlink()
    assert told("tokenizer_config.json", chat_template=chatml.chat_template + "\n") == []
    assert told("tokenizer_config.json", chat_template="another") == ["templates_disagree"]
