"""How a model is asked: the fields that steps which ask one share, checked with the recipe.

    traces:
      generate:
        prompt: solve                    # templates.py, ready_templates.py
        system: Be brief.
        few_shot: {from: examples, k: 3} # few_shot.py
        sampling: {temperature: 0.6, max_tokens: 32768}
        by_task: {code: {max_tokens: 16384}}
        samples: 4

Only what is asked is shaped by them; a sample keeps its own prompt, so what a student is trained
on never silently becomes what the teacher was asked. `questions.py` makes the messages; chat
templates (special tokens) are `chat.py`'s business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, ValidationError, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.references import Execution
from ..pipeline.stage import Config
from ..pipeline.suggest import suggest
from .few_shot import Drawn, FewShot
from .ready_templates import PLAIN, TEMPLATES
from .sampling import Sampling
from .templates import OF_THE_COMPLETION, Template


def _named(value: Any) -> Any:
    """A recipe's word is the name of a template; a text with braces in it is one itself."""
    if not isinstance(value, str):
        return value
    if value in TEMPLATES:
        return TEMPLATES[value]
    if "{" in value:
        return {"text": value}
    raise ValueError(
        f"no template of this name; {suggest(value, TEMPLATES)}. "
        "A text with {{ question }} in it is a template of your own"
    )


Prompt = Annotated[Template, BeforeValidator(_named, json_schema_input_type=str | Template)]


class Asking(Config):
    """How a model is asked, and how it samples."""

    prompt: Prompt = PLAIN
    system: str | None = None
    """Replaces a system turn that the problem brings along."""
    few_shot: FewShot = ()
    chat_template_kwargs: dict[str, JsonValue] = {}
    sampling: Sampling = Sampling()
    by_task: dict[str, dict[str, JsonValue]] = {}
    """Changes of `sampling` for problems of one task; null takes a field back."""
    samples: Annotated[int, Field(ge=1)] = 1
    """Completions for each problem."""
    concurrency: Annotated[int | None, Execution(), Field(ge=1)] = None
    """Most requests in flight; not part of identity. None: what the teacher bears."""

    def samplings(self) -> dict[str | None, Sampling]:
        """Every sampling that requests may come with, by task; None is the one of all others."""
        found: dict[str | None, Sampling] = {None: self.sampling}
        for task, changes in self.by_task.items():
            found[task] = self.sampling.with_changes(changes)
        return found

    @model_validator(mode="after")
    def _samplings_are_understood(self) -> Asking:
        for task, changes in self.by_task.items():
            try:
                self.sampling.with_changes(changes)
            except ValidationError as error:
                raise ValueError(_explain(task, error)) from error
        for name, sampling in self.samplings().items():
            if self.samples > 1 and sampling.temperature == 0:
                where = "" if name is None else f" of task {name!r}"
                raise ValueError(
                    f"temperature 0 gives {self.samples} equal samples of each problem{where}; "
                    "set samples: 1, or a temperature"
                )
        return self

    @model_validator(mode="after")
    def _examples_fit_the_template(self) -> Asking:
        if isinstance(self.few_shot, Drawn):
            twice = sorted(self.prompt.variables & (OF_THE_COMPLETION | {"verdicts"}))
            if twice:
                raise ValueError(
                    f"the template {self.prompt.name!r} puts {twice[0]} into the question, and "
                    "few_shot: {from: …} shows a sample's completion as the reply. Write such "
                    "examples out: few_shot: [{question: …, completion: …, answer: …}]"
                )
            return self
        for number, example in enumerate(self.few_shot, start=1):
            for language in (None, *self.prompt.by_language):
                try:
                    self.prompt.fill(replace(example.row(), language=language))
                except RequestError as error:
                    raise ValueError(f"example {number} of few_shot: {error}") from error
        return self


def _explain(task: str, error: ValidationError) -> str:
    problem = error.errors()[0]
    field = ".".join(map(str, problem["loc"]))
    where = f"by_task.{task}" + (f".{field}" if field else "")
    if problem["type"] == "extra_forbidden":
        return f"{where}: no such field of sampling; {suggest(field, Sampling.model_fields)}"
    return f"{where} is {problem['input']!r:.80}; {problem['msg'].removeprefix('Value error, ')}"
