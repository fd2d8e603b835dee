"""Where the loss is: on the completion and one end of turn, on nothing else.

Looked up in the labels themselves, whoever made them: a prompt under the loss teaches the student
to ask, a masked answer teaches nothing, and a student that never saw its end of turn never stops.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import IGNORED
from .finding import Fault
from .linted import LintedRow


def prompt_masked(row: LintedRow) -> Iterator[Fault]:
    """No token of the prompt is trained."""
    trained = [at for at in range(row.start) if row.labels[at] != IGNORED]
    if trained:
        yield Fault(
            "prompt_masked",
            "error",
            f"{len(trained)} of {row.start} prompt tokens are under the loss, the first at "
            f"position {trained[0]}",
            lambda: (row.around(trained[0]),),
        )


def nothing_masked_wrongly(row: LintedRow) -> Iterator[Fault]:
    """Every token of the completion is its own label."""
    ids, labels = row.token_ids, row.labels
    if len(ids) != len(labels):
        yield Fault(
            "nothing_masked_wrongly", "error", f"{len(ids)} tokens have {len(labels)} labels"
        )
        return
    wrong = [at for at in range(row.start, len(ids)) if labels[at] != ids[at]]
    if wrong:
        yield Fault(
            "nothing_masked_wrongly",
            "error",
            f"{len(wrong)} of {len(ids) - row.start} completion tokens are not trained as they "
            f"stand, the first at position {wrong[0]}",
            lambda: (row.around(wrong[0]),),
        )


def row_fully_masked(row: LintedRow) -> Iterator[Fault]:
    """More than the end of turn is trained."""
    trained = [label for label in row.labels if label != IGNORED]
    ending = row.model.ending_id
    if all(token == ending for token in trained):
        told = "only the end of turn is" if trained else "no token is"
        yield Fault(
            "row_fully_masked",
            "error",
            f"{told} under the loss: the row teaches nothing",
            lambda: (row.around(row.start),),
        )


def ends_once(row: LintedRow) -> Iterator[Fault]:
    """The end of turn is trained once, as the last token; no other stop stands before it."""
    ending = row.model.ending_id
    stops = row.model.stop_ids | {ending}
    trained = [at for at, label in enumerate(row.labels) if label in stops]
    last = len(row.labels) - 1
    if not trained or trained[-1] != last or row.labels[last] != ending:
        yield Fault(
            "ends_once",
            "error",
            f"the row does not end with a trained {row.model.name(ending)!r}",
            lambda: (row.around(last),),
        )
    early = [at for at in trained if at != last]
    if early:
        yield Fault(
            "ends_once",
            "error",
            f"{row.model.name(row.labels[early[0]])!r}, where a server stops, is trained "
            f"{len(early)} times before the end",
            lambda: (row.around(early[0]),),
        )
