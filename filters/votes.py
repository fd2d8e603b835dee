"""A model judges each completion k times; the majority is the score.

    votes:
      teacher: {model: judge-70b, base_url: http://judges:8000/v1}
      votes: 5
      prompt: judge                       # or a template of your own
      sampling: {temperature: 0.6, max_tokens: 4096}

1.0 or 0.0 is what most of the votes for and against say; their share is `agreement` in the
evidence. A tie, and too few votes that can be read, are unknown. Votes are bought as completions
are (`consulting.py`): a changed list of words or a higher k buys only what is new. A completion
that was cut off or has no answer is bad without being paid for.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue, model_validator

from ..models.prompts import Asking, Prompt
from ..models.ready_templates import JUDGE
from ..models.sampling import Sampling
from ..models.teacher import TeacherConfig
from ..models.templates import OF_THE_COMPLETION
from ..pipeline.errors import RequestError
from ..pipeline.filter import Judge, JudgeContext, SampleFilter
from ..pipeline.references import Execution
from .ballots.ballot import Words
from .unfinished import UNFINISHED


class Votes(SampleFilter):
    """1.0 if most votes of a model are for the completion, 0.0 if most are against it."""

    kind: ClassVar[str] = "votes"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {
        "voted_good",
        "voted_bad",
        "tied_votes",
        "not_enough_votes",
        "not_askable",  # the row lacks what the template prints
    }

    teacher: TeacherConfig
    """Who votes."""
    votes: Annotated[int, Field(ge=1)] = 5
    least: Annotated[int, Field(ge=1)] | None = None
    """Votes for and against that are needed; None: more than half of `votes`."""
    prompt: Prompt = JUDGE
    words: Words = Words()
    """What the voter answers, by what it means."""
    system: str | None = None
    chat_template_kwargs: dict[str, JsonValue] = {}
    sampling: Sampling = Sampling()
    concurrency: Annotated[int | None, Execution(), Field(ge=1)] = None

    @model_validator(mode="after")
    def _can_be_asked(self) -> Votes:
        self.asking()
        if not self.prompt.variables & OF_THE_COMPLETION:
            raise ValueError(
                f"the template {self.prompt.name!r} does not show the voter what to judge; use "
                "{{ completion | fenced }}, or prompt: judge"
            )
        if "verdicts" in self.prompt.variables:
            raise ValueError("a voter knows no verdicts; leave {{ verdicts }} out of the template")
        if self.needed > self.votes:
            raise ValueError(f"least {self.needed} is more than the {self.votes} votes")
        return self

    @property
    def needed(self) -> int:
        """Votes for and against below which nothing is said."""
        return self.votes // 2 + 1 if self.least is None else self.least

    def open(self, context: JudgeContext) -> AbstractContextManager[Judge]:
        from .ballots.voting import open_voting  # heavy, and no worker of another filter needs it

        if context.step is None:
            raise RequestError(
                "the filter votes buys completions, so it needs a step with a journal: use it in "
                "a recipe, or with potstill judge"
            )
        return open_voting(self, context.step)

    def asking(self) -> Asking:
        """The same as a generating step would ask it."""
        return Asking(
            prompt=self.prompt,
            system=self.system,
            sampling=self.sampling,
            samples=self.votes,
        )
