"""The tokens of a chat request as vLLM makes them: what a student will really be asked.

vLLM (0.32, `renderers/hf.py`) applies the template with `add_generation_prompt`, tokenises without
adding special tokens, and hands the messages' content to the template as a string, or as a list of
parts where the template loops over content (`_detect_content_format`). This is written apart from
`models/chat.py`, so that the two can be compared; a test compares it with vLLM's own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...pipeline.sample import Message

_LOOP: Final = re.compile(
    r"\{%-?\s*for\s+\w+\s+in\s+(?:\w+(?:\[['\"]content['\"]\]|\.content\b)|content\b)"
)


def takes_parts(template: str) -> bool:
    """Whether vLLM gives this template `[{"type": "text", "text": …}]` instead of a string."""
    return _LOOP.search(template) is not None


def served_tokens(
    tokenizer: Any, messages: Sequence[Message], template_kwargs: Mapping[str, Any]
) -> list[int]:
    """Tokens of the prompt of a chat request; raises whatever the template raises."""
    parts = takes_parts(tokenizer.get_chat_template())
    turns = [
        {
            "role": message.role,
            "content": [{"type": "text", "text": message.content}] if parts else message.content,
        }
        for message in messages
    ]
    made = tokenizer.apply_chat_template(
        turns,
        tokenize=True,
        add_generation_prompt=True,
        continue_final_message=False,
        return_dict=False,
        tokenizer_kwargs={"verbose": False},
        **template_kwargs,
    )
    return list(made)
