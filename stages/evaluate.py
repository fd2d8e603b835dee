"""`evaluate`: how often a model solves problems, averaged over samples, by the same filters.

    after_qwen: {evaluate: {model: qwen, problems: heldout, samples: 4, correct: math}}

`pass@1` is the mean over problems of the share of samples that `correct` scores 1. A verdict of
None and a request that failed count as wrong there, and are told apart beside it (`unjudged`,
`failed`). `rate/<filter>` is the mean of the known scores, None where no score is known.

Only local models: a served one is scored by `generate` with `samples` and `accept`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from pydantic import Field

from ..models.prompts import Asking
from ..models.sampling import Order
from ..models.teacher import Engine, LocalTeacher, Opening
from ..pipeline.references import Execution, FilterName, Model, Samples
from ..pipeline.stage import Context, Metrics, Stage
from .sampled import Sampled, sample_problems

SOLVED: Final = 1.0
"""Score of `correct` from which a sample counts as solved."""


class Evaluate(Asking, Stage):
    """Scores of `model` on `problems`; see the module's docstring."""

    kind: ClassVar[str] = "evaluate"
    makes: ClassVar[str] = "evaluation"

    model: Model
    problems: Samples
    correct: FilterName
    """The filter whose score of 1 is a solved problem."""
    also: tuple[FilterName, ...] = ()
    """Filters whose mean score is reported beside it."""
    samples: Annotated[int, Field(ge=1)] = 4
    engine: Annotated[Engine, Execution()] = "vllm"
    context: Annotated[int, Field(ge=1)] | None = None
    """Tokens of prompt and completion together; None: what the model's config says."""

    def run(self, context: Context) -> Metrics:
        teacher = LocalTeacher(model=self.model, engine=self.engine, context=self.context)
        problems = context.samples(self.problems)
        order = Order(problems.samples, self, teacher.identity(context))
        opening = Opening(teacher, context, self.sampling, self.chat_template_kwargs)
        solved = {self.correct: SOLVED}
        sampled = sample_problems(context, order, opening, thresholds=solved, max_failed=1.0)
        return {**self._scores(sampled), **sampled.metrics()}

    def _scores(self, sampled: Sampled) -> Metrics:
        attempts = len(sampled.places) + len(sampled.failed)
        solved = [0] * (attempts // self.samples)
        scores = sampled.scores[self.correct]
        for (position, _), score in zip(sampled.places, scores, strict=True):
            solved[position] += score is not None and score >= SOLVED
        shares = [count / self.samples for count in solved]
        return {
            "pass@1": sum(shares) / len(shares) if shares else None,
            "pass@1_se": standard_error(shares),
            "unjudged": sum(score is None for score in scores),
            "n_problems": len(shares),
            "n_samples": attempts,
        }


def standard_error(shares: Sequence[float]) -> float | None:
    """Standard error of the mean over problems, each a cluster of samples; None below two.

    Samples of one problem are not independent, so the problem is the unit (Miller 2024,
    "Adding Error Bars to Evals", clustered standard errors with equal clusters).
    """
    count = len(shares)
    if count < 2:
        return None
    mean = sum(shares) / count
    return math.sqrt(sum((share - mean) ** 2 for share in shares) / (count - 1) / count)
