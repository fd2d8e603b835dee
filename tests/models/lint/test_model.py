"""What is found of a tokenizer and its template without looking at rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.models.lint import lint_rows, longest_input, server_stop_ids
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.recipes.quickstart.vocabulary import LLAMA, QWEN

Found = Callable[..., dict[str, int]]
MARKED = (
    "{%- for m in messages %}<|im_start|>{{ m.role + '\n' }}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{% else %}"
    "{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED_WITHOUT_END = MARKED.replace(
    "<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>"
)


@pytest.mark.parametrize(
    ("eos", "pad", "expected"),
    [
        ("<|im_end|>", "<|endoftext|>", {}),
        ("<|endoftext|>", "<|endoftext|>", {"warning server_stops": 0}),
        ("<|im_end|>", "<|im_end|>", {"warning pad_is_end_of_turn": 0}),
    ],
)
def test_stops_and_pads(
    tokenizer_with: Callable[..., Any],
    found: Found,
    single: list[Sample],
    eos: str,
    pad: str,
    expected: dict[str, int],
) -> None:
    tokenizer = tokenizer_with(QWEN.template, eos, pad)
    assert found(tokenizer, single, "generation_markers") == expected


def test_tokens_that_are_not_there(
    tokenizer_with: Callable[..., Any], found: Found, single: list[Sample]
) -> None:
    tokenizer = tokenizer_with(QWEN.template, "<|im_end|>")
    tokenizer.pad_token = None
    told = found(tokenizer, single, "generation_markers")
    assert told == {"warning pad_is_end_of_turn": 0}
    tokenizer = tokenizer_with(QWEN.template, "<|im_end|>")
    tokenizer.eos_token = None
    assert found(tokenizer, single, "generation_markers") == {"error no_eos": 0}


def test_a_server_stops_where_generation_config_says(
    chatml: Any,
    tokenizer_with: Callable[..., Any],
    found: Found,
    single: list[Sample],
    tmp_path: Path,
) -> None:
    tokenizer = tokenizer_with(QWEN.template, "<|endoftext|>")
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": end}))
    assert server_stop_ids(tmp_path, tokenizer) == {tokenizer.eos_token_id, end}
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [1, 2]}')
    assert server_stop_ids(tmp_path, tokenizer) == {tokenizer.eos_token_id, 1, 2}
    told = found(tokenizer, single, "generation_markers", stop_ids=frozenset({end}))
    assert told == {}


def test_positions(tmp_path: Path) -> None:
    assert longest_input(tmp_path) is None
    config = tmp_path / "config.json"
    config.write_text('{"max_position_embeddings": 256}')
    assert longest_input(tmp_path) == 256
    config.write_text('{"text_config": {"max_position_embeddings": 128}}')
    assert longest_input(tmp_path) == 128
    config.write_text("[")
    with pytest.raises(RequestError, match="is no JSON"):
        longest_input(tmp_path)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (QWEN.template, {"note generation_markers": 0}),
        (MARKED, {}),
        (MARKED_WITHOUT_END, {"warning generation_markers": 0}),
    ],
)
def test_generation_markers(
    tokenizer_with: Callable[..., Any],
    found: Found,
    single: list[Sample],
    template: str,
    expected: dict[str, int],
) -> None:
    assert found(tokenizer_with(template, "<|im_end|>"), single) == expected


def test_tags_of_several_tokens(bpe: str, single: list[Sample]) -> None:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(bpe), eos_token="<|im_end|>", pad_token="<pad>"
    )
    tokenizer.chat_template = QWEN.template
    report = lint_rows(tokenizer, single)
    assert report.clean
    (kind,) = (kind for kind in report.of("note") if kind.check == "think_tags_split")
    assert [piece.text for piece in kind.examples[0].excerpts[0].pieces] == list("<think>")


def test_a_tokenizer_that_adds_a_second_beginning(
    tokenizer_with: Callable[..., Any], found: Found, single: list[Sample]
) -> None:
    """As Llama 3's does; vLLM's chat does not ask it to, so it is a note."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = tokenizer_with(LLAMA.template, LLAMA.eos)
    bos = ("<bos>", tokenizer.bos_token_id)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<bos> $A", special_tokens=[bos]
    )
    assert found(tokenizer, single, "generation_markers") == {"note double_bos": 0}
