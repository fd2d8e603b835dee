"""The labelled cases of the shipped filters: what is true, not what a filter happens to say.

`cases/<kind>.jsonl` and `cases/<kind>_<topic>.jsonl`, one case per line:

    {"origin": "Math-Verify#34", "sample": {"completion": "…", "answer": "2.5"}, "score": 1.0}

`config` holds fields of the filter, `sample` those of the sample (`prompt` is a user turn,
`finish_reason` makes it a generated one), `score` is 1, 0, null (nothing can be said) or
[lowest, highest], `reason` is optional. `"known_wrong": true` marks what is judged wrongly and not
mended yet: it is counted in the published error rates and does not fail a test.
The tests, the golden verdicts and docs/judges.md are all made of these tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potstill.filters import FILTERS
from potstill.pipeline.filter import JudgeContext, Limits, RowFilter
from potstill.pipeline.outcome import Done
from potstill.pipeline.sample import Generation, Message, Sample, new_sample
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.workers import WorkerPool

FOLDER = Path(__file__).with_name("cases")
WORTH_A_WORKER = 100
"""Cases: a worker process takes about a second to start, and most cases are judged in less
than 10 ms."""
_KEYS = {"origin", "config", "sample", "score", "reason", "known_wrong"}


@dataclass(frozen=True)
class Case:
    """One labelled sample."""

    kind: str
    where: str
    """File and line."""
    origin: str
    config: dict[str, Any]
    fields: dict[str, Any]
    score: float | list[float] | None
    reason: str | None
    known_wrong: bool

    @property
    def id(self) -> str:
        """What is asked, whatever the answer."""
        text = json.dumps([self.kind, self.config, self.fields], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def sample(self) -> Sample:
        """The sample to judge."""
        fields = dict(self.fields)
        asked = fields.pop("prompt", "")
        prompt = (Message("user", asked),) if asked else ()
        reason = fields.pop("finish_reason", None)
        made = Generation("t", "r", "k", 0, None, reason, None, None) if reason else None
        return new_sample(prompt, generation=made, **fields)

    def is_met_by(self, verdict: Verdict) -> bool:
        """Whether a verdict says what is true."""
        if self.reason is not None and verdict.reason != self.reason:
            return False
        if isinstance(self.score, list):
            low, high = self.score
            return verdict.score is not None and low <= verdict.score <= high
        return verdict.score == self.score


def files() -> list[Path]:
    """All tables."""
    return sorted(FOLDER.glob("*.jsonl"))


def kind_of(file: Path) -> str:
    """The filter that a table is about: the longest kind its name begins with."""
    return max((kind for kind in FILTERS if f"{file.stem}_".startswith(f"{kind}_")), key=len)


def read_cases(file: Path) -> list[Case]:
    """The cases of one table."""
    cases = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        row = json.loads(line)
        where = f"{file.name}:{number}"
        assert row.keys() <= _KEYS, where
        assert row.keys() >= {"origin", "sample", "score"}, where
        cases.append(
            Case(
                kind_of(file),
                where,
                row["origin"],
                row.get("config", {}),
                row["sample"],
                row["score"],
                row.get("reason"),
                row.get("known_wrong", False),
            )
        )
    return cases


def judge_cases(cases: Sequence[Case], workers: int = 2) -> list[tuple[Case, Verdict]]:
    """Each case with its verdict: real judges for default settings, one pool for all others."""
    plain = [case for case in cases if not case.config]
    special = [case for case in cases if case.config]
    return [*_judged_with_defaults(plain, workers), *_judged_in_one_pool(special, workers)]


def _enough(cases: Sequence[Case], workers: int) -> int:
    return min(workers, 1 + len(cases) // WORTH_A_WORKER)


def _judged_with_defaults(cases: list[Case], workers: int) -> Iterator[tuple[Case, Verdict]]:
    for kind in dict.fromkeys(case.kind for case in cases):
        group = [case for case in cases if case.kind == kind]
        with _made(group[0]).open(JudgeContext(workers=_enough(group, workers))) as judge:
            yield from zip(group, judge.judge([case.sample() for case in group]), strict=True)


def _judged_in_one_pool(cases: list[Case], workers: int) -> Iterator[tuple[Case, Verdict]]:
    """A pool for each of a hundred settings would start two hundred processes."""
    jobs = [(_made(case).prepared(JudgeContext()), case.sample()) for case in cases]
    limits = Limits()
    with WorkerPool(
        judge_one,
        count=_enough(cases, workers),
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_mb << 20,
    ) as pool:
        for case, (made, sample), outcome in zip(cases, jobs, pool.map(jobs), strict=True):
            done = isinstance(outcome, Done)
            yield case, outcome.value if done else made.failed(sample, outcome, None)


def judge_one(job: tuple[RowFilter, Sample]) -> Verdict:
    """In a worker: any filter on any sample."""
    made, sample = job
    return made.judge_one(sample)


def _made(case: Case) -> RowFilter:
    made = FILTERS[case.kind](**case.config)
    assert isinstance(made, RowFilter), f"{made.kind} needs its own tests"
    return made
