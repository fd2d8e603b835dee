"""The tokens of serving, compared with the code of vLLM that makes them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from potstill.models.lint.served import served_tokens, takes_parts
from potstill.pipeline.sample import Message

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vllm"),
]

TEMPLATES = (
    "deepseek_r1_distill", "gemma3", "gemma4", "glm4moe", "gptoss", "lfm2_2_5", "llama3",
    "llama3_2", "phi3", "qwen2_5", "qwen2_5_vl", "qwen3", "qwen3_5_think", "qwen3_vl", "smolvlm",
)  # fmt: skip
TURNS = [
    Message("user", " What is 3 + 4? "),
    Message("assistant", "<think>\n3 + 4\n</think>\nSeven."),
    Message("user", "And 5 + 5?"),
]


def test_as_vllm_renders(
    tokenizer_with: Callable[..., Any], trl_template: Callable[[str], str]
) -> None:
    from vllm.renderers.hf import _detect_content_format, safe_apply_chat_template

    for name in TEMPLATES:
        template = trl_template(name)
        tokenizer = tokenizer_with(template)
        form = _detect_content_format(template, default="string")
        assert takes_parts(template) == (form == "openai"), name
        parts = form == "openai"
        conversation = [
            {
                "role": turn.role,
                "content": [{"type": "text", "text": turn.content}] if parts else turn.content,
            }
            for turn in TURNS
        ]
        text = safe_apply_chat_template(
            None,
            tokenizer,
            conversation,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=True,
        )
        expected = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert served_tokens(tokenizer, TURNS, {}) == expected, name
