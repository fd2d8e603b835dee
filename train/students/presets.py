"""Families of students by the control tokens of their vocabulary: template, end of turn, padding.

A base model often comes without a chat template, or with one that ends no turn. A preset gives it
the one that its family is served with. Each renders every message as it is written: thinking is
never dropped, nothing is trimmed, no system prompt is made up. A model that brings a template of
its own keeps it, and needs no preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Preset:
    """How a family marks turns."""

    end_of_turn: str
    """Becomes the tokenizer's end of sequence, and is what generation stops at."""
    control: tuple[str, ...]
    """The other tokens that its template writes."""
    template: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every control token that the family must have."""
        return (self.end_of_turn, *self.control)


_QWEN: Final = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
_LLAMA3: Final = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' -}}
{{- message['content'] + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
{%- endif -%}
"""
_DEEPSEEK: Final = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}
{{- '<｜User｜>' + message['content'] -}}
{%- elif message['role'] == 'assistant' -%}
{{- '<｜Assistant｜>' + message['content'] + '<｜end▁of▁sentence｜>' -}}
{%- else -%}
{{- message['content'] -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<｜Assistant｜>' -}}
{%- endif -%}
"""

PRESETS: Final[Mapping[str, Preset]] = {
    "deepseek": Preset("<｜end▁of▁sentence｜>", ("<｜User｜>", "<｜Assistant｜>"), _DEEPSEEK),
    "llama3": Preset("<|eot_id|>", ("<|start_header_id|>", "<|end_header_id|>"), _LLAMA3),
    "qwen": Preset("<|im_end|>", ("<|im_start|>",), _QWEN),
}
"""By name; the first whose tokens a vocabulary has is the one that fits it. DeepSeek comes before
the families that its distilled models were made from."""


def fitting_preset(tokenizer: Any) -> str | None:
    """The name of the preset whose control tokens the vocabulary has; None where none fits."""
    known = tokenizer.get_vocab()
    for name, preset in PRESETS.items():
        if all(token in known for token in preset.tokens):
            return name
    return None
