"""Asking a judge, and holding its filter to the contract: a verdict each, reasons from its list.

Every use of a filter goes through here: the `judge` step, `accept` while generating, evaluation,
`potstill judge FILE` and rewards. So they cannot differ in what they take for a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import StepFailed
from .filter import WORKER_CRASHED, Filter, Judge
from .sample import Sample
from .verdict import Verdict


def judge_batch(name: str, judging: Filter, judge: Judge, batch: Sequence[Sample]) -> list[Verdict]:
    """The verdicts of a filter on some samples, in order.

    Raises:
        StepFailed: the filter broke its contract; the message names it.
    """
    verdicts = judge.judge(batch)
    if len(verdicts) != len(batch):
        raise StepFailed(
            f"filter {name!r} gave {len(verdicts)} verdicts on {len(batch)} samples; "
            "expected one each, in order"
        )
    for sample, verdict in zip(batch, verdicts, strict=True):
        check_reason(name, judging, verdict, sample.id)
    return verdicts


def check_reason(name: str, judging: Filter, verdict: Verdict, sample_id: str) -> None:
    """Refuse a reason that is not on the filter's list."""
    if verdict.reason not in judging.reasons | {WORKER_CRASHED}:
        raise StepFailed(
            f"filter {name!r} gave the reason {verdict.reason!r} on sample {sample_id}; expected "
            f"one of its list: {', '.join(sorted(judging.reasons))}"
        )
