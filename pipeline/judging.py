"""Asking a judge, and holding its filter to the contract: a verdict each, reasons from its list.

Every use of a filter goes through here: the `judge` step, `accept` while generating, evaluation,
`potstill judge FILE` and rewards. So they cannot differ in what they take for a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from .errors import StepFailed
from .filter import WORKER_CRASHED, Filter, Judge, TableJudge
from .sample import Sample
from .sample_batches import samples_of
from .slices import columns_of
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
        check_reason(name, judging, verdict.reason, sample.id)
    return verdicts


def judge_tables(
    name: str, judging: Filter, judge: Judge, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.Table]:
    """The verdicts of a filter on batches of samples, as tables of VERDICT_SCHEMA, in order.

    Raises:
        StepFailed: the filter broke its contract; the message names it.
    """
    if isinstance(judge, TableJudge):
        for table in judge.judge_tables(batches):
            check_reasons(name, judging, table)
            yield table
        return
    for batch in batches:
        verdicts = judge_batch(name, judging, judge, list(samples_of(batch)))
        yield columns_of(verdicts).table(batch.column("id"))


def check_reasons(name: str, judging: Filter, verdicts: pa.Table) -> None:
    """Refuse reasons that are not on the filter's list.

    Args:
        verdicts: of VERDICT_SCHEMA.

    Raises:
        StepFailed: there is one; the message names the first.
    """
    known = pa.array([*judging.reasons, WORKER_CRASHED])
    strange = verdicts.filter(pc.invert(pc.is_in(verdicts["reason"], known)))
    for row in strange.slice(0, 1).to_pylist():
        check_reason(name, judging, row["reason"], row["id"])


def check_reason(name: str, judging: Filter, reason: str, sample_id: str) -> None:
    """Refuse a reason that is not on the filter's list."""
    if reason not in judging.reasons | {WORKER_CRASHED}:
        raise StepFailed(
            f"filter {name!r} gave the reason {reason!r} on sample {sample_id}; expected "
            f"one of its list: {', '.join(sorted(judging.reasons))}"
        )
