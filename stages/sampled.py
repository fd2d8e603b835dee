"""What steps that ask a model share: buy what is missing, write the dataset, count it.

The dataset is written after everything is bought, in the order of problems and sample indices,
from the journal. So its bytes and metrics depend on journal and config alone: not on the order of
arrival, on crashes, or on which run bought what. `attempts = rows + failed` always holds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from ..models.journal import Journal, open_journal
from ..models.request import Completion, Failure
from ..models.sampling import Attempt, Order, Watch, answered, buy
from ..models.teacher import EndpointTeacher, Opening
from ..pipeline.filter import JudgeContext
from ..pipeline.sample import Sample, with_ids
from ..pipeline.shards import write_rows, write_samples
from ..pipeline.stage import Context, Metrics
from .panel import Panel, Place, Scores, open_panel

FAILED_SCHEMA: Final = pa.schema(
    [
        ("prompt_id", pa.string()),
        ("index", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass
class Sampled:
    """A dataset as it was written, and what the filters said of it."""

    places: list[Place] = field(default_factory=list)
    """Where each row belongs: (row of the problems, sample index), in order."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Scores] = field(default_factory=dict)
    accepted: int = 0
    """Rows that meet every threshold."""
    keys: set[str] = field(default_factory=set)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reasons: Counter[str] = field(default_factory=Counter)
    numerics: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)

    def metrics(self) -> Metrics:
        """Counts that every such step reports; None where there is nothing to divide by."""
        rows = len(self.places)
        reasons = Counter(str(row["reason"]) for row in self.failed)
        found: Metrics = {
            "attempts": rows + len(self.failed),
            "rows": rows,
            "failed": dict(sorted(reasons.items())),
            "requests": len(self.keys),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "mean_completion_tokens": self.completion_tokens / rows if rows else None,
            "finish_reasons": dict(sorted(self.finish_reasons.items())),
            "models": dict(sorted(self.models.items())),
            "numerics": [
                {**json.loads(text), "completions": count}
                for text, count in sorted(self.numerics.items())
            ],
        }
        for name, scores in self.scores.items():
            found[f"rate/{name}"] = mean_score(scores)
        return found

    def acceptance(self) -> Metrics:
        """How many rows meet every threshold, and their share."""
        rows = len(self.places)
        return {
            "accepted": self.accepted,
            "accepted_share": self.accepted / rows if rows else None,
        }

    def count(self, attempt: Attempt, done: Completion) -> None:
        """Take note of a row."""
        self.places.append((attempt.position, attempt.request.index))
        self.keys.add(done.key)
        self.prompt_tokens += done.prompt_tokens or 0
        self.completion_tokens += done.completion_tokens or 0
        self.finish_reasons[done.finish_reason] += 1
        self.numerics[done.numerics] += 1
        self.models[done.model] += 1


def sample_problems(
    context: Context,
    order: Order,
    opening: Opening,
    thresholds: Mapping[str, float],
    max_failed: float,
) -> Sampled:
    """Buy, write and judge; everything is in `context.out` afterwards.

    Args:
        thresholds: least score of an accepted completion, by name of the filter; decides only
            what is counted as accepted and shown while it runs.

    Raises:
        RequestError: a key or an engine is missing.
        StepFailed: more than `max_failed` of the requests failed for good, or all.
    """
    opening.check()
    prefill = _prefill(opening)
    judging = JudgeContext(workers=context.workers)
    with (
        open_panel(context.filters, thresholds, judging) as panel,
        open_journal(context.journal) as journal,
    ):

        def see(attempt: Attempt, done: Completion) -> None:
            place = (attempt.position, attempt.request.index)
            panel.see(place, order.sample(attempt, done, prefill))

        watch = Watch(context.progress, see, panel.facts)
        failures = buy(order, journal, context.step, opening.open, watch, max_failed)
        return _write(context, order, journal, failures, prefill, panel)


def mean_score(scores: Scores) -> float | None:
    """Mean of the scores that are known; None if none is."""
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None


def _write(
    context: Context,
    order: Order,
    journal: Journal,
    failures: Mapping[str, Failure],
    prefill: str,
    panel: Panel,
) -> Sampled:
    sampled = Sampled()

    def rows() -> Iterator[Sample]:
        for attempt, done in answered(order, journal):
            if done is None:
                sampled.failed.append(_failed_row(attempt, failures[attempt.request.key]))
            else:
                sampled.count(attempt, done)
                yield order.sample(attempt, done, prefill)

    write_samples(context.out, with_ids(rows()))
    write_rows(context.out / "failed", sampled.failed, FAILED_SCHEMA)
    sampled.scores = panel.publish(context.out, sampled.places)
    sampled.accepted = panel.accepted(sampled.scores)
    return sampled


def _failed_row(attempt: Attempt, failure: Failure) -> dict[str, Any]:
    return {
        "prompt_id": attempt.request.prompt_id,
        "index": attempt.request.index,
        "reason": failure.reason,
        "detail": failure.detail,
    }


def _prefill(opening: Opening) -> str:
    """What a served model's chat template is known to write of each answer."""
    config = opening.config
    prefills = isinstance(config, EndpointTeacher) and config.prefills_think
    return "<think>\n" if prefills else ""
