"""What one step wants of its teachers: problems x samples, as requests with content keys.

A *tier* is one way of asking: a teacher, a sampling and a number of samples. The first tier is the
step's own; further ones (`escalate`) ask for the problems that the earlier ones left unsolved. The
samples of a problem are those of its tiers, one after the other. Nothing is asked here
(`buying.py`) and nothing is decided (`demand.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ..pipeline.errors import RequestError
from ..pipeline.fingerprint import canonical_json
from ..pipeline.sample import Generation, Sample
from ..pipeline.verdict import Verdict
from .chat import THINK
from .questions import Questions
from .request import Completion, Keys, Request, TeacherIdentity

_CHUNK: Final = 500
"""Attempts of a chunk: with completions of 100 kB they take 50 MB."""

Row: TypeAlias = tuple[Sample, Mapping[str, Verdict]]
"""A problem, and what an earlier judge step said of it (mostly nothing)."""


@dataclass(frozen=True)
class Tier:
    """One way of asking."""

    teacher: TeacherIdentity
    keys: Keys
    samples: int
    prefill: str = ""
    """What a served model's chat template is known to write of each answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sample wanted for one row of the problems."""

    position: int
    """Which row of the problems, from 0."""
    problem: Sample
    index: int
    """Which sample of its problem, over all tiers, from 0."""
    request: Request


@dataclass(frozen=True)
class Order:
    """Everything that one step wants, in order."""

    rows: Callable[[], Iterable[Row]]
    """Called for each pass over the problems."""
    num_rows: int
    questions: Questions
    tiers: tuple[Tier, ...]
    quota: int | None = None
    """Accepted samples at which a problem has enough; None: all samples of the first tier."""
    refine: bool = False
    """Each row's own completion is rewritten, and kept beside the result."""

    def __post_init__(self) -> None:
        digests = [tier.keys.digest for tier in self.tiers]
        if len(set(digests)) < len(digests):
            raise RequestError(
                "a tier of escalate asks just as an earlier one did, so it would get the same "
                "answers; change its sampling or teacher, or raise until.samples instead"
            )

    @property
    def most_samples(self) -> int:
        """Of one problem."""
        return sum(tier.samples for tier in self.tiers)

    def attempts(self, tiers: int | None = None) -> Iterator[Iterator[Attempt]]:
        """Each problem's attempts in order, of the first `tiers` tiers (None: of all)."""
        for position, (problem, verdicts) in enumerate(self.rows()):
            yield self._attempts(position, problem, verdicts, self.tiers[:tiers])

    def _attempts(
        self,
        position: int,
        problem: Sample,
        verdicts: Mapping[str, Verdict],
        tiers: Sequence[Tier],
    ) -> Iterator[Attempt]:
        messages = self.questions.messages(problem, verdicts, rewrite=self.refine)
        subject = problem.id if self.refine else problem.prompt_id
        index = 0
        for tier in tiers:
            for request in tier.keys.requests(subject, problem.task, messages, tier.samples):
                yield Attempt(position, problem, index, request)
                index += 1

    def sample(self, attempt: Attempt, done: Completion) -> Sample:
        """The row that a completion makes, without its id."""
        tier = self.tiers[attempt.request.tier]
        if tier.prefill and not done.prefill and done.reasoning is None:
            done = done if done.text.startswith(THINK) else replace(done, prefill=tier.prefill)
        generation = Generation(
            teacher=tier.teacher.name,
            revision=tier.teacher.revision,
            key=done.key,
            index=attempt.index,
            seed=attempt.request.seed,
            finish_reason=done.finish_reason,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
            prefilled_think=bool(done.prefill),
        )
        problem = attempt.problem
        extra = _with_original(problem) if self.refine else problem.extra
        return replace(
            problem, id="", completion=done.whole_text, generation=generation, extra=extra
        )


def chunked(problems: Iterable[Iterator[Attempt]]) -> Iterator[list[list[Attempt]]]:
    """Some problems at a time with all their attempts, so that the journal is asked in bulk."""
    chunk: list[list[Attempt]] = []
    waiting = 0
    for attempts in problems:
        chunk.append(list(attempts))
        waiting += len(chunk[-1])
        if waiting >= _CHUNK:
            yield chunk
            chunk, waiting = [], 0
    if chunk:
        yield chunk


def _with_original(problem: Sample) -> str:
    """The row's other columns, and the completion that was rewritten."""
    original = {"id": problem.id, "completion": problem.completion}
    return canonical_json({**json.loads(problem.extra), "original": original})
