"""How many tokens of a sample a student sees, and on how many of them it would be trained.

The rendering, the loss mask and the refusals are those of training: `render_example` and
`assistant_labels`. So a mixture can be cut to what training will really take. A sample that
training would leave out has no counts but a reason (`cut_off`, or one of chat.py). Whether a row
is too long is for the caller to say: its length is counted in any case.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ..pipeline.sample import Sample
from .chat import IGNORED, NotRenderable, load_tokenizer, render_example
from .turns import assistant_labels

Loss: TypeAlias = Literal["completion", "assistant"]

CUT_OFF: Final = "cut_off"
"""Reason of a completion that the teacher's token limit ended: it would teach to stop there."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one sample; without counts there is a reason."""

    tokens: int | None
    loss_tokens: int | None
    reason: str | None = None


@dataclass(frozen=True)
class TokenCounter:
    """Counts for one student; small enough to be sent to other processes, which load on first use.

    `folder` is the student's model folder, of which only the tokenizer and its chat template are
    read; `template_kwargs` are passed to the template.
    """

    folder: Path
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    loss: Loss = "completion"

    def count(self, sample: Sample) -> Counted:
        """The counts of one sample.

        Raises:
            RequestError: the student has no tokenizer or no usable chat template.
        """
        tokenizer = _tokenizer(self.folder)
        if sample.generation is not None and sample.generation.finish_reason == "length":
            return Counted(None, None, CUT_OFF)
        try:
            example = render_example(
                tokenizer, sample.prompt, sample.completion, self.template_kwargs
            )
            if self.loss == "completion":
                trained = len(example.token_ids) - example.completion_start
            else:
                labels = assistant_labels(tokenizer, sample.prompt, example, self.template_kwargs)
                trained = len(labels) - labels.count(IGNORED)
        except NotRenderable as refusal:
            return Counted(None, None, refusal.reason)
        return Counted(len(example.token_ids), trained)


@functools.lru_cache(maxsize=2)
def _tokenizer(folder: Path) -> Any:
    return load_tokenizer(folder)
