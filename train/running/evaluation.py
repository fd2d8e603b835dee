"""Evaluation while training: the student answers held-out problems, the project's judges score it.

The same requests, seeds, filters and formulas as the `evaluate` step, with transformers on the
weights as they are in memory; so a curve in the log compares with the score afterwards up to the
engine's rounding. Every process answers its share of the problems. Not for weights that are cut
into pieces over several GPUs (FSDP, ZeRO-3): there a step is evaluated after its training.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ...models.local_model import LocalModel
from ...models.order import Attempt, Order, Tier
from ...models.questions import Questions
from ...models.quota import pass_at_1
from ...models.request import Completion, Failure, Keys, TeacherIdentity
from ...models.transformers_teacher import TransformersTeacher
from ...pipeline.errors import RequestError
from ...pipeline.filter import Judge, SampleFilter
from ...pipeline.judging import judge_batch
from ...pipeline.sample import Sample
from ...pipeline.verdict import Verdict
from ..settings import Evaluation
from .bench import Bench

PREFIX: Final = "eval_"
"""Of the names of evaluated numbers in the log."""
SCORE: Final = f"{PREFIX}pass@1"
_POLL_SECONDS: Final = 1.0


@contextlib.contextmanager
def open_evaluator(bench: Bench, config: Evaluation) -> Iterator[Evaluator]:
    """An evaluator whose judges are warm inside the block."""
    with contextlib.ExitStack() as stack:
        judges: dict[str, Judge] = {}
        for name in config.filters:
            judging = bench.context.filters[name]
            if not isinstance(judging, SampleFilter):
                raise RequestError(
                    f"evaluate: filter {name!r} ({judging.kind}) judges whole datasets. Expected "
                    "one that judges samples, such as math."
                )
            judges[name] = stack.enter_context(judging.open(bench.context.judging))
        yield Evaluator(bench, config, judges)


@dataclass(frozen=True)
class Evaluator:
    """Scores a model on the same problems each time it is asked."""

    bench: Bench
    config: Evaluation
    judges: Mapping[str, Judge]

    def scores(self, model: Any, share: slice = slice(None)) -> list[Scored]:
        """What the model makes of the problems.

        Args:
            share: which of the attempts this process answers.
        """
        training = model.training
        model.eval()
        teacher = TransformersTeacher(model, self._local_model())
        try:
            return self._scored(teacher, self._attempts()[share])
        finally:
            teacher.close()
            model.train(training)

    def _attempts(self) -> list[Attempt]:
        order = self._order()
        return [attempt for attempts in order.attempts() for attempt in attempts]

    def _order(self) -> Order:
        problems = self.bench.context.samples(self.config.problems)
        count = min(problems.rows or 0, self.config.limit or problems.rows or 0)
        # The weights are no part of the keys, so each evaluation draws with the same seeds.
        identity = TeacherIdentity(self.bench.student.name, "", {})
        keys = Keys(
            identity, self.config.sampling, self.config.by_task, self.config.chat_template_kwargs
        )
        return Order(
            lambda: ((sample, {}) for sample in islice(problems.samples(), count)),
            count,
            Questions.of(self.config, self.bench.context),
            (Tier(identity, keys, self.config.samples),),
        )

    def _local_model(self) -> LocalModel:
        student = self.bench.student
        ends = {student.end_of_turn, student.tokenizer.eos_token_id} - {None}
        return LocalModel(
            student.name,
            student.tokenizer,
            student.positions,
            frozenset(ends),
            self.config.chat_template_kwargs,
            student.vocabulary,
        )

    def _scored(self, teacher: TransformersTeacher, attempts: Sequence[Attempt]) -> list[Scored]:
        outcomes: dict[str, Completion | Failure] = {}
        waiting = [attempt.request for attempt in reversed(attempts)]
        while len(outcomes) < len(attempts):
            while waiting and teacher.room > 0:
                teacher.submit(waiting.pop())
            for outcome in teacher.poll(_POLL_SECONDS):
                outcomes[outcome.key] = outcome  # type: ignore[assignment]  # it abandons none
            if self.bench.main:
                self.bench.context.progress.update(len(outcomes), len(attempts), phase="evaluate")
        order = self._order()
        done = [
            (attempt, order.sample(attempt, outcome))
            for attempt in attempts
            if isinstance(outcome := outcomes[attempt.request.key], Completion)
        ]
        verdicts = self._judge([sample for _, sample in done])
        judged = {
            attempt.request.key: row for (attempt, _), row in zip(done, verdicts, strict=True)
        }
        return [Scored(attempt.position, judged.get(attempt.request.key)) for attempt in attempts]

    def _judge(self, samples: Sequence[Sample]) -> list[dict[str, Verdict]]:
        filters = self.bench.context.filters
        columns = {
            name: judge_batch(name, filters[name], judge, samples)
            for name, judge in self.judges.items()
        }
        return [
            {name: column[row] for name, column in columns.items()} for row in range(len(samples))
        ]


@dataclass(frozen=True)
class Scored:
    """One sample of one problem."""

    position: int
    verdicts: Mapping[str, Verdict] | None
    """By filter; None where there is no completion."""


def summary(config: Evaluation, scored: Sequence[Scored]) -> dict[str, float]:
    """The numbers of one evaluation, by the names of the log; what is unknown is not in it.

    Nor is `pass@1` where no completion could be judged: nothing is the best by such a score.
    """
    known = [each.verdicts for each in scored if each.verdicts is not None]
    unjudged = why_unjudged(config, scored)
    solved: dict[int, int] = {}
    for each in scored:
        score = each.verdicts[config.correct].score if each.verdicts is not None else None
        solved[each.position] = solved.get(each.position, 0) + (score == 1)
    share = pass_at_1(list(solved.values()), config.samples)
    found: dict[str, float | None] = {
        **({} if known and unjudged.total() == len(known) else share),
        "unjudged": float(unjudged.total()),
        "failed": float(len(scored) - len(known)),
    }
    for name in config.filters:
        scores = [row[name].score for row in known if row[name].score is not None]
        found[f"rate/{name}"] = sum(scores) / len(scores) if scores else None  # type: ignore[arg-type]
    return {f"{PREFIX}{name}": value for name, value in found.items() if value is not None}


def why_unjudged(config: Evaluation, scored: Sequence[Scored]) -> Counter[str]:
    """How many completions `correct` could not judge, by its reason."""
    verdicts = (each.verdicts[config.correct] for each in scored if each.verdicts is not None)
    return Counter(verdict.reason or "unknown" for verdict in verdicts if verdict.score is None)


def best_step(log_history: Sequence[Mapping[str, Any]]) -> int | None:
    """The step after which the student scored best, the earliest of equals; None before any."""
    found = [
        (entry[SCORE], -entry["step"])
        for entry in log_history
        if entry.get("step") and SCORE in entry
    ]
    return -max(found)[1] if found else None
