"""`evaluate`: how often a model solves problems, averaged over samples, by the same filters.

    after_qwen: {evaluate: {model: qwen, problems: heldout, samples: 4, correct: math}}

`pass@1` is the mean over problems of the share of samples that `correct` scores 1. A verdict of
None and a request that failed count as wrong there, and are told apart beside it (`unjudged`,
`failed`). `rate/<filter>` is the mean of the known scores, None where no score is known.

Only local models: a served one is scored by `generate` with `samples` and `accept`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field, JsonValue

from ..models.preview import Preview
from ..models.prompts import Asking
from ..models.quota import pass_at_1
from ..models.teacher import Engine, LocalTeacher
from ..pipeline.forecast import Forecast
from ..pipeline.references import Execution, FilterName, Model, Samples
from ..pipeline.stage import Context, Metrics, Stage
from .asked import Asked, TierConfig
from .sampled import sample_problems
from .tally import Tally

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

    engine_args: Annotated[dict[str, JsonValue], Execution()] = {}
    """Handed to vLLM as they are."""

    def run(self, context: Context) -> Metrics:
        asked = self._asked(context).sampling(max_failed=1.0, label="correct")
        tally = sample_problems(context, asked)
        return {**self._scores(tally), **tally.metrics()}

    def forecast(self, context: Context) -> Forecast | None:
        """What running now would ask."""
        return self._asked(context).forecast()

    def preview(self, context: Context) -> Preview | None:
        """The first request as it would be sent; None without problems."""
        return self._asked(context).preview()

    def _asked(self, context: Context) -> Asked:
        teacher = LocalTeacher(
            model=self.model,
            engine=self.engine,
            context=self.context,
            engine_args=self.engine_args,
        )
        return Asked(
            self,
            context,
            prompts=self.problems,
            tiers=(TierConfig(teacher, self.sampling, self.samples),),
            thresholds={self.correct: SOLVED},
        )

    def _scores(self, tally: Tally) -> Metrics:
        return {
            **pass_at_1(tally.accepted, self.samples),
            "unjudged": tally.unjudged(self.correct),
            "n_problems": len(tally.accepted),
            "n_samples": self.samples * len(tally.accepted),
        }
