"""`generate`: completions of a teacher for every problem, every one paid for once.

    traces:
      generate:
        prompts: problems
        teacher: {model: ./teacher}          # or {engine: openai, base_url: ..., model: ...}
        prompt: solve
        sampling: {temperature: 0.8, top_p: 0.95, max_tokens: 192, seed: 1}
        until: {accepted: 2, samples: 8}     # or samples: 4, for as many of each problem
        accept: {format: 1, math: 1}
        escalate: [{samples: 4, sampling: {temperature: 1.0}}]   # where 2 were not reached

Nothing is dropped here: `accept` judges and publishes verdicts, `select` chooses. A row keeps the
problem's own prompt; how the teacher was asked (`prompt`, `system`, `few_shot`) is in the step's
config. With `refine: true` each row's completion is rewritten and kept beside the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue, field_validator, model_validator

from ..models.preview import Preview
from ..models.prompts import Asking
from ..models.quota import Until
from ..models.sampling import Sampling
from ..models.teacher import EndpointTeacher, LocalTeacher, TeacherConfig
from ..models.templates import OF_THE_COMPLETION
from ..pipeline.forecast import Forecast
from ..pipeline.references import Execution, FilterName, Samples, Verdicts
from ..pipeline.stage import Config, Context, Metrics, Stage
from .asked import Asked, TierConfig
from .sampled import sample_problems

Share = Annotated[float, Field(ge=0, le=1)]


class Escalation(Config):
    """Another way of asking for the problems that are not solved yet."""

    samples: Annotated[int, Field(ge=1)]
    teacher: TeacherConfig | None = None
    """None: the step's own."""
    sampling: dict[str, JsonValue] = {}
    """Changes to the step's sampling: a higher temperature, a larger max_tokens."""

    @field_validator("sampling")
    @classmethod
    def _fields_are_known(cls, changes: dict[str, JsonValue]) -> dict[str, JsonValue]:
        Sampling().with_changes(changes)
        return changes


class Generate(Asking, Stage):
    """Completions for `prompts`; see the module's docstring."""

    kind: ClassVar[str] = "generate"

    prompts: Samples
    teacher: TeacherConfig
    until: Until | None = None
    """Stop at enough accepted samples of a problem; in the place of `samples`."""
    accept: dict[FilterName, Share] = {}
    """Least score by filter; a completion that meets all of them counts as accepted."""
    escalate: tuple[Escalation, ...] = ()
    verdicts: Verdicts | None = None
    """What a judge step said of `prompts`, for templates that use it."""
    refine: bool = False
    """Rewrite each row's completion; the original is kept in `extra`, under `original`."""
    max_failed: Annotated[Share, Execution()] = 0.05
    """Share of the requests that may fail for good before the step does."""

    @model_validator(mode="after")
    def _fields_agree(self) -> Generate:
        if self.until is not None and "samples" in self.model_fields_set:
            raise ValueError("expected samples or until, not both; until.samples is the most")
        if self.until is not None and not self.accept:
            raise ValueError("until needs accept: {filter: least score}, or nothing ever counts")
        if self.until is not None and self.until.samples > 1 and self.sampling.temperature == 0:
            raise ValueError("temperature 0 gives equal samples; set until.samples: 1")
        if self.escalate and self.until is None:
            raise ValueError("escalate needs until, which says when a problem is solved")
        return self

    @model_validator(mode="after")
    def _template_fits(self) -> Generate:
        if self.refine and not self.prompt.variables & OF_THE_COMPLETION:
            raise ValueError(
                f"refine rewrites a completion, but the template {self.prompt.name!r} shows none; "
                "use prompt: rewrite, or a template with {{ completion }}"
            )
        if "verdicts" in self.prompt.variables and self.verdicts is None:
            raise ValueError(
                f"the template {self.prompt.name!r} uses verdicts; name a judge step of "
                "`prompts` in verdicts:"
            )
        return self

    def run(self, context: Context) -> Metrics:
        tally = sample_problems(context, self._asked(context).sampling(self.max_failed))
        metrics = tally.metrics()
        if self.accept:
            metrics |= tally.acceptance()
        if self.until is not None:
            metrics |= tally.stopping(self.until.accepted)
        return metrics

    def rebuild_bill(self, context: Context) -> str | None:
        """Completions bought for this step that would be bought again under new keys."""
        return self._asked(context).bill()

    def forecast(self, context: Context) -> Forecast | None:
        """What running now would buy."""
        return self._asked(context).forecast()

    def preview(self, context: Context) -> Preview | None:
        """The first request as it would be sent; None without problems."""
        return self._asked(context).preview()

    def _asked(self, context: Context) -> Asked:
        return Asked(
            self,
            context,
            prompts=self.prompts,
            tiers=tuple(self._tiers()),
            thresholds=self.accept,
            quota=self.until.accepted if self.until else None,
            verdicts=self.verdicts,
            refine=self.refine,
        )

    def _tiers(self) -> Iterator[TierConfig]:
        own: LocalTeacher | EndpointTeacher = self.teacher
        samples = self.until.samples if self.until else self.samples
        yield TierConfig(own, self.sampling, samples)
        for step in self.escalate:
            sampling = self.sampling.with_changes(step.sampling)
            yield TierConfig(step.teacher or own, sampling, step.samples)
