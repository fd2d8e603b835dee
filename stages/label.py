"""`label`: keys for problems that have none, by what most of their own samples answer.

    labelled: {label: {samples: traces, by: math, min_votes: 3, min_share: 0.5}}

This is self-consistency: the answer that most samples of a problem agree on, as the filter `by`
compares answers, becomes their key. It may be wrong, so it is marked: `extra` gets
`{"label": {"by": "majority", "votes": 5, "of": 8, "share": 0.625}}`. Rows with a key pass as they
are. Problems without a majority are left out, or kept without a key (`unlabelled: keep`).

Memory holds the samples of the problems whose last sample has not come yet: of one problem, where
the samples of a problem stand together as `generate` writes them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from ..filters.ballots.agreement import Poll, agree
from ..filters.keyed import KeyedFilter
from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.filter import Judge, SampleFilter
from ..pipeline.fingerprint import canonical_json
from ..pipeline.references import FilterName, Samples
from ..pipeline.sample import Sample, with_ids
from ..pipeline.shards import read_table, shard_files, write_samples
from ..pipeline.stage import Context, Metrics, Stage
from .aside import LEFT_OUT_SCHEMA, Aside

BATCH: Final = 500
"""Samples whose problems are polled together, so that all workers have something to do."""


@dataclass(frozen=True, slots=True)
class Label:
    """The majority answer of one problem."""

    answer: str
    votes: int
    of: int
    """Samples of the problem that have a completion."""

    @property
    def share(self) -> float:
        return self.votes / self.of


Labels: TypeAlias = dict[str, Label | str]
"""By prompt id: the label, or the reason why there is none."""


class LabelByMajority(Stage):
    """Gives problems without a key the answer that most of their samples give."""

    kind: ClassVar[str] = "label"

    samples: Samples
    by: FilterName
    """The filter that says whether two answers are equal: math, choice, exact …"""
    min_votes: Annotated[int, Field(ge=1)] = 3
    """Samples that must agree."""
    min_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a problem's completions that must agree, those without an answer included."""
    unlabelled: Literal["leave_out", "keep"] = "leave_out"

    def run(self, context: Context) -> Metrics:
        """Write the samples with their labels, and `left_out/`.

        Raises:
            RequestError: `by` compares with no key, or a column is in the way.
            StepFailed: no row is left.
        """
        source = context.samples(self.samples)
        judging = context.filters[self.by]
        if not isinstance(judging, SampleFilter) or not isinstance(judging, KeyedFilter):
            raise RequestError(
                f"label.by names the filter {self.by!r} ({judging.kind}), which compares with no "
                "key, so it cannot say whether two answers are equal; expected one such as math"
            )
        with judging.open(context.judging) as judge:
            labels = self._labels(source, judge, context)
        left_out = Aside(context.out / "left_out", LEFT_OUT_SCHEMA)
        rows = write_samples(context.out, with_ids(self._rows(source, labels, left_out)))
        left_out.close()
        if not rows:
            raise StepFailed(
                f"none of the {source.rows:,} samples of step {source.step!r} has a key or gets "
                f"one: {left_out.reasons}. Draw more samples of each problem, or lower min_votes "
                "or min_share."
            )
        return {
            "in": source.rows,
            "rows": rows,
            "left_out": left_out.reasons,
            "problems": _summary(labels),
        }

    def _labels(self, source: Artifact, judge: Judge, context: Context) -> Labels:
        labels: Labels = {}
        left = _keyless(source)
        total, done = left.total(), 0
        for batch in _batches(_problems(source, left)):
            for prompt_id, poll in zip(batch, agree(list(batch.values()), judge), strict=True):
                labels[prompt_id] = self._label(poll)
                done += len(poll.samples)
            named = sum(isinstance(each, Label) for each in labels.values())
            context.progress.update(done, total, labelled=named)
        return labels

    def _label(self, poll: Poll) -> Label | str:
        of = sum(sample.completion is not None for sample in poll.samples)
        if not poll.leaders:
            return "no_answers"
        first, *equals = poll.leaders
        label = Label(first.answer, len(first.members), of)
        if label.votes < self.min_votes:
            return "too_few_votes"
        if equals:
            return "tied_answers"
        return "no_majority" if label.share < self.min_share else label

    def _rows(self, source: Artifact, labels: Labels, left_out: Aside) -> Iterator[Sample]:
        for sample in source.samples():
            if not _is_keyless(sample.answer):
                yield sample
                continue
            label = labels[sample.prompt_id]
            if isinstance(label, Label):
                yield replace(sample, answer=label.answer, extra=_marked(sample, label))
            elif self.unlabelled == "keep":
                yield sample
            else:
                left_out.put(id=sample.id, reason=label)


def _is_keyless(answer: str | None) -> bool:
    return answer is None or not answer.strip()


def _keyless(source: Artifact) -> Counter[str]:
    """How many samples without a key each problem has."""
    found: Counter[str] = Counter()
    for file in shard_files(source.path):
        for row in read_table(file, ["prompt_id", "answer"]).to_pylist():
            found[row["prompt_id"]] += _is_keyless(row["answer"])
    return found


def _problems(source: Artifact, left: Counter[str]) -> Iterator[tuple[str, list[Sample]]]:
    """The samples without a key of each problem, as soon as its last one was read.

    Args:
        left: how many of each problem will come; counted down here.
    """
    waiting: dict[str, list[Sample]] = {}
    for sample in source.samples():
        if _is_keyless(sample.answer):
            waiting.setdefault(sample.prompt_id, []).append(sample)
            left[sample.prompt_id] -= 1
            if not left[sample.prompt_id]:
                yield sample.prompt_id, waiting.pop(sample.prompt_id)


def _batches(
    problems: Iterable[tuple[str, list[Sample]]],
) -> Iterator[dict[str, Sequence[Sample]]]:
    batch: dict[str, Sequence[Sample]] = {}
    waiting = 0
    for prompt_id, samples in problems:
        batch[prompt_id] = samples
        waiting += len(samples)
        if waiting >= BATCH:
            yield batch
            batch, waiting = {}, 0
    if batch:
        yield batch


def _marked(sample: Sample, label: Label) -> str:
    """The row's other columns, and how its key was found."""
    extra = json.loads(sample.extra)
    if "label" in extra:
        raise RequestError(
            f"sample {sample.id} has a column 'label' of its own ({extra['label']!r:.80}), where "
            "the mark of a majority label goes. Rename the column in the data."
        )
    told = {"by": "majority", "votes": label.votes, "of": label.of, "share": label.share}
    return canonical_json({**extra, "label": told})


def _summary(labels: Labels) -> Metrics:
    found = [label for label in labels.values() if isinstance(label, Label)]
    reasons = Counter(label for label in labels.values() if isinstance(label, str))
    return {
        "without_key": len(labels),
        "labelled": len(found),
        "unlabelled": dict(sorted(reasons.items())),
        "mean_share": sum(label.share for label in found) / len(found) if found else None,
    }
