"""A student before its weights are loaded: tokenizer, limits and names of a model folder.

What rows are rendered with and checked against is here, so that a training that cannot work is
refused before gigabytes are read. Weights come in with `loading.py`, and go out with `saving.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...models.chat import end_of_turn_id, load_tokenizer
from ...pipeline.errors import RequestError
from ...pipeline.references import reference_kind

_NO_LIMIT: Final = 1 << 40


@dataclass(frozen=True)
class Student:
    """A model folder that can be trained."""

    name: str
    """What to call it: no folder of this machine in it."""
    folder: Path
    tokenizer: Any
    config: Any
    """The transformers config."""
    positions: int
    """Most tokens that its positions allow; a very large number where the config says nothing."""

    @property
    def end_of_turn(self) -> int:
        """The token that ends an assistant's turn, which is what it learns to stop with."""
        return end_of_turn_id(self.tokenizer)

    @property
    def vocabulary(self) -> int | None:
        """Number of embeddings, as far as the config says it."""
        size = getattr(self.config.get_text_config(), "vocab_size", None)
        return int(size) if size else None


def open_student(folder: Path, reference: str) -> Student:
    """Read what a student is, without its weights.

    Args:
        reference: how the recipe names it: a step, a path or a hub id.

    Raises:
        RequestError: no model of transformers, no tokenizer, or no usable chat template.
    """
    from transformers import AutoConfig

    tokenizer = load_tokenizer(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(
            f"{folder} cannot be read as a model: {error}. Expected the config.json of a causal "
            "language model that transformers itself knows."
        ) from error
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    name = Path(reference).name if reference_kind(reference) == "path" else reference
    return Student(name, folder, tokenizer, config, int(limit) if limit else _NO_LIMIT)
