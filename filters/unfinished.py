"""What needs no judge: a completion that is not there, was cut off, or never came to an answer.

Filters that pay for their verdicts (a model's votes, a reward model) ask this first. Cut off is
what the generating side said was cut (`finish_reason`); it is never guessed from the text.
"""

from __future__ import annotations

from typing import Final

from ..models.thinking import split
from ..pipeline.sample import Sample
from ..pipeline.verdict import Verdict

UNFINISHED: Final = frozenset({"no_completion", "truncated", "thinking_not_closed", "no_answer"})
"""The reasons that `unfinished` may give."""


def unfinished(sample: Sample) -> Verdict | None:
    """The verdict on a completion that there is no use in judging; None for any other."""
    if sample.completion is None:
        return Verdict(None, "no_completion")
    if sample.generation is not None and sample.generation.finish_reason == "length":
        return Verdict(0.0, "truncated")
    answer = split(sample.completion).answer
    if answer is None:
        return Verdict(0.0, "thinking_not_closed")
    if not sample.completion[slice(*answer)].strip():
        return Verdict(0.0, "no_answer")
    return None
