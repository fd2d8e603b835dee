"""A student before its weights are loaded: tokenizer, limits and names of a model folder.

What rows are rendered with and checked against is here, so that a training that cannot work is
refused before gigabytes are read. Weights come in with `loading.py`, and go out with `saving.py`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...models.chat import end_of_turn_id
from ...pipeline.errors import RequestError
from ...pipeline.external import split_hub
from ...pipeline.references import reference_kind
from ..settings import StudentSettings, TrainingSettings
from .folder import refuse_unusable
from .tokenizer import Changes, student_tokenizer, token_count
from .vocabulary import embeddings_for

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
    changes: Changes = field(default_factory=Changes)
    """What it was given that its folder does not bring."""
    saved_tokenizer: Any = None
    """A copy of a changed tokenizer as it is saved: trainers leave traces in the one they use."""

    @property
    def base(self) -> tuple[str, str | None]:
        """Its name for others: a hub id and a revision, or what the recipe calls it and None."""
        return split_hub(self.name) if self.name.startswith("hub:") else (self.name, None)

    @property
    def end_of_turn(self) -> int:
        """The token that ends an assistant's turn, which is what it learns to stop with."""
        return end_of_turn_id(self.tokenizer)

    @property
    def vocabulary(self) -> int | None:
        """Number of embeddings that it has in training, as far as the config says it."""
        size = _embeddings(self.config)
        return None if size is None else embeddings_for(token_count(self.tokenizer), size)

    @property
    def facts(self) -> dict[str, Any]:
        """For the metrics, as JSON values."""
        return {
            "template": self.changes.template,
            "end_of_turn": self.tokenizer.convert_ids_to_tokens(self.end_of_turn),
            "pad": self.tokenizer.pad_token,
            "new_tokens": list(self.changes.added),
            "embeddings": self.vocabulary,
        }


def open_student(
    folder: Path,
    reference: str,
    settings: TrainingSettings | None = None,
    template: Path | None = None,
) -> Student:
    """Read what a student is, without its weights.

    Args:
        reference: how the recipe names it: a step, a path or a hub id.
        settings: what it is given; None: nothing, as for a teacher.
        template: the file that `settings.template` names, if it names one.

    Raises:
        RequestError: no model of transformers, no tokenizer, or no usable chat template.
    """
    from transformers import AutoConfig

    refuse_unusable(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(
            f"{folder} cannot be read as a model: {error}. Expected the config.json of a causal "
            "language model that transformers itself knows."
        ) from error
    given = settings or StudentSettings(template="keep")
    tokenizer, changes = student_tokenizer(folder, given, template, _embeddings(config))
    if settings is not None:
        _refuse_unsavable(settings, changes, tokenizer)
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    return Student(
        Path(reference).name if reference_kind(reference) == "path" else reference,
        folder,
        tokenizer,
        config,
        int(limit) if limit else _NO_LIMIT,
        changes,
        copy.deepcopy(tokenizer) if changes.any else None,
    )


def _refuse_unsavable(settings: TrainingSettings, changes: Changes, tokenizer: Any) -> None:
    """An adapter alone holds linear layers only; servers would not load rows of embeddings."""
    lora = settings.lora
    if lora is not None and lora.save == "adapter" and changes.trained:
        tokens = ", ".join(map(str, tokenizer.convert_ids_to_tokens(list(changes.trained))))
        raise RequestError(
            f"lora.save: adapter cannot carry the embeddings of {tokens}, which are new to the "
            "model or come with a template that it is given. Set lora: {save: merged}."
        )


def _embeddings(config: Any) -> int | None:
    size = getattr(config.get_text_config(), "vocab_size", None)
    return int(size) if size else None
