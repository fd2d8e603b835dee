"""Nothing is cut: rows that are longer than allowed, and rows that a teacher's limit cut before.

A trainer that cuts at a length loses the end: `</think>`, the answer and the end of turn. potstill
cuts nothing, so every such row is listed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...pipeline.sample import Sample
from .finding import Fault
from .linted import LintedRow


def too_long(row: LintedRow, max_length: int) -> Iterator[Fault]:
    """The row fits into `max_length` tokens; what a trainer that cuts would lose."""
    length = len(row.token_ids)
    if length <= max_length:
        return
    rest = max(0, max_length - row.start)
    lost = f"{rest} of its {length - row.start} completion tokens would be left, and no end of turn"
    if not rest:
        lost = "no token under the loss would be left"
    yield Fault(
        "too_long",
        "error",
        f"{length} tokens, {max_length} are allowed; cut there, {lost}",
        lambda: (row.around(max_length),),
        length=length,
    )


def cut_off(sample: Sample) -> Iterator[Fault]:
    """The completion ended by itself, not at the teacher's token limit."""
    if sample.generation is not None and sample.generation.finish_reason == "length":
        yield Fault(
            "cut_off",
            "warning",
            "the teacher's token limit cut the completion, so its end is missing; it is left out "
            "of the training, since it would teach to stop in the middle of a thought",
        )
