"""`generate`: completions of a teacher for every problem, n each, every one paid for once.

    traces:
      generate:
        prompts: problems
        teacher: {model: ./teacher}          # or {base_url: ..., model: ..., api_key_env: ...}
        prompt: solve
        sampling: {temperature: 0.8, top_p: 0.95, max_tokens: 192, seed: 1}
        samples: 4
        accept: {format: 1, math: 1}

Nothing is dropped here: `accept` judges and publishes verdicts, `select` chooses. A row keeps the
problem's own prompt; how the teacher was asked (`prompt`, `system`, `few_shot`) is in the step's
config.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ..models.journal import read_journal
from ..models.prompts import Asking
from ..models.sampling import Order, bill
from ..models.teacher import Opening, TeacherConfig
from ..pipeline.references import Execution, FilterName, Samples
from ..pipeline.stage import Context, Metrics, Stage
from .sampled import sample_problems

Share = Annotated[float, Field(ge=0, le=1)]


class Generate(Asking, Stage):
    """Completions for `prompts`; see the module's docstring."""

    kind: ClassVar[str] = "generate"

    prompts: Samples
    teacher: TeacherConfig
    accept: dict[FilterName, Share] = {}
    """Least score by filter; a completion that meets all of them counts as accepted."""
    max_failed: Annotated[Share, Execution()] = 0.05
    """Share of the requests that may fail for good before the step does."""

    def run(self, context: Context) -> Metrics:
        opening = Opening(self.teacher, context, self.sampling, self.chat_template_kwargs)
        sampled = sample_problems(
            context, self._order(context), opening, self.accept, self.max_failed
        )
        return sampled.metrics() | (sampled.acceptance() if self.accept else {})

    def rebuild_bill(self, context: Context) -> str | None:
        """Completions bought for this step that would be bought again under new keys."""
        with read_journal(context.journal) as journal:
            if journal is None:
                return None
            return bill(self._order(context), journal, context.step)

    def _order(self, context: Context) -> Order:
        problems = context.samples(self.prompts)
        return Order(problems.samples, self, self.teacher.identity(context))
