"""The tokenizers of the quickstart's models: one byte-level BPE, two families of special tokens.

Byte level, so any text at all can be encoded and comes back (in Qwen's case in normal form C);
digits stand alone, because a small model cannot learn arithmetic on numbers that are cut in
changing ways. `<think>` and `</think>` are added tokens but not special ones: they survive
`skip_special_tokens=True`.

The chat templates render content verbatim, so thinking stays in assistant turns, and end a
conversation with the end-of-turn token itself: nothing is trained after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

QWEN_TEMPLATE: Final = """\
{%- for message in messages -%}
{{- '' if loop.first else '\\n' -}}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '\\n<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
LLAMA_TEMPLATE: Final = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' -}}
{{- message['content'] + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
{%- endif -%}
"""


@dataclass(frozen=True, slots=True)
class Family:
    """How a model family marks turns."""

    template: str
    eos: str
    pad: str
    bos: str | None
    others: tuple[str, ...]


QWEN: Final = Family(QWEN_TEMPLATE, "<|im_end|>", "<|endoftext|>", None, ("<|im_start|>",))
LLAMA: Final = Family(
    LLAMA_TEMPLATE,
    "<|eot_id|>",
    "<|finetune_right_pad_id|>",
    "<|begin_of_text|>",
    ("<|start_header_id|>", "<|end_header_id|>"),
)


def train_bpe(texts: Iterable[str], size: int) -> str:
    """A byte-level BPE over `texts`, as JSON so that each family gets a copy of its own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, min_frequency=2, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    return str(bpe.to_str())


def make_tokenizer(bpe: str, family: Family) -> Any:
    """A transformers tokenizer: the BPE, the family's special tokens and its chat template."""
    from tokenizers import Tokenizer
    from transformers import AddedToken, PreTrainedTokenizerFast

    names = {"eos_token": family.eos, "pad_token": family.pad}
    if family.bos is not None:
        names["bos_token"] = family.bos
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(bpe),
        additional_special_tokens=list(family.others),
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
        **names,
    )
    think = [AddedToken(tag, special=False, normalized=False) for tag in ("<think>", "</think>")]
    tokenizer.add_tokens(think)
    tokenizer.chat_template = family.template
    return tokenizer
