"""Control tokens inside a text that is shown to a model as material: broken up, so they are text.

Chat servers and tokenizers read `<|im_end|>` as the end of a turn wherever it stands. A completion
that a judge is shown could end its turn so and write the verdict itself. One space takes the power
from it (`< |im_end|>`) and leaves it readable; a zero-width character would not do, since some
tokenizers normalise it away. Half a surrogate pair, which JSON can hold and no tokenizer takes,
becomes a question mark. Known are the forms of the widespread chat formats, not every
vocabulary; role headers in plain words ("User:") are plain words and stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_NAMES: Final = (
    "s|bos|eos|pad|unk|cls|sep|mask|sop|eop|eod|eoh|eoa|BOS_TOKEN|EOS_TOKEN|PAD_TOKEN|think|"
    "start_of_turn|end_of_turn|start_of_image|end_of_image|tool_calls?|tool_response|"
    "seed:[a-z_]{1,24}|(?:unused|reserved_|extra_id_)[0-9]{1,6}"
)
"""Of `<s>`, `</think>`, `<start_of_turn>` … (Llama 2, Gemma, Qwen, GLM, Command, Seed, T5)."""

_BRACKETED: Final = (
    "INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|AVAILABLE_TOOLS|THINK|ARGS|CALL_ID|"
    "IMG|PREFIX|MIDDLE|SUFFIX|gMASK|sMASK|BOS|EOS|PAD|UNK|CLS|SEP|MASK"
)
"""Of `[INST]`, `[/THINK]`, `[SEP]` … (Mistral, GLM, BERT)."""

_CONTROL: Final = re.compile(
    r"<[|｜][^|｜<>\s]{1,64}[|｜]>"  # <|im_end|>, <｜end▁of▁sentence｜>
    rf"|</?(?:{_NAMES})>"
    r"|<</?SYS>>"
    rf"|\[/?(?:{_BRACKETED})\]"
)


def control_tokens(text: str) -> frozenset[str]:
    """The control tokens that stand in a text."""
    return frozenset(_CONTROL.findall(text))


def defused(text: str, spared: Collection[str] = ()) -> str:
    """The text as it can be shown: with a space inside each control token.

    Args:
        spared: tokens that stay as they are.
    """
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(lambda found: _broken(found[0], spared), shown)


def _broken(token: str, spared: Collection[str]) -> str:
    return token if token in spared else f"{token[0]} {token[1:]}"
