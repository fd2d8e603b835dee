"""What the files of a model's folder say against each other.

Tools read different files: vLLM stops at the tokenizer's EOS and at what the generation config
lists, transformers' generate at the second alone; a template may stand in two places. Only a folder
can be asked this, not a tokenizer, so a training step, which writes its own files, does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..chat import end_of_turn_id
from .check_model import unusable
from .finding import Fault, excerpt
from .linted import generation_stop_ids, read_config


def folder_faults(folder: Path, tokenizer: Any) -> Iterator[Fault]:
    """What the files of a folder say against each other, where tools read only one of them."""
    written = read_config(folder / "tokenizer_config.json").get("chat_template")
    used = tokenizer.chat_template
    if isinstance(written, str) and isinstance(used, str) and written.strip() != used.strip():
        yield Fault(
            "templates_disagree",
            "warning",
            "chat_template.jinja and the chat_template of tokenizer_config.json differ: "
            "transformers and vLLM read the first, older tools the second. What potstill trains "
            "has one",
        )
    if any(unusable(tokenizer)):
        return  # there is no end of turn to compare with
    listed, ending = generation_stop_ids(folder), end_of_turn_id(tokenizer)
    if listed and ending not in listed and ending == tokenizer.eos_token_id:
        yield Fault(
            "server_stops",
            "warning",
            f"the folder's generation config stops at {sorted(listed)}, not at the end of turn "
            f"{tokenizer.eos_token!r} ({ending}): vLLM stops at the tokenizer's EOS too, "
            "transformers' generate does not. What potstill trains gets one that stops there",
            lambda: (excerpt(tokenizer, "end of turn", [ending], 0),),
        )
