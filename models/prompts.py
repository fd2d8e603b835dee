"""How a problem is put to a model: named templates, a system prompt, worked examples.

Only the question asked is shaped here; the sample keeps its own prompt, so what a student is
trained on never silently becomes what the teacher was asked. A template's text is part of the
step's config, so changing the wording of a shipped template changes every address it is used in.
Chat templates (special tokens) are `chat.py`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.sample import Message, Sample
from ..pipeline.stage import Config
from ..pipeline.suggest import suggest
from .request import Sampling

QUESTION: Final = "{question}"


class Template(Config):
    """Text around a question; `{question}` is where it goes. Other braces are plain text."""

    name: str = "inline"
    text: str
    by_language: dict[str, str] = {}
    """Texts for samples whose `language` is named here."""

    @model_validator(mode="after")
    def _has_a_place(self) -> Template:
        for text in (self.text, *self.by_language.values()):
            if QUESTION not in text:
                raise ValueError(f"no {QUESTION} in the template {text!r:.60}")
        return self

    def fill(self, question: str, language: str | None) -> str:
        """The template's text around `question`."""
        return self.by_language.get(language or "", self.text).replace(QUESTION, question)


PLAIN: Final = Template(name="plain", text=QUESTION)
SOLVE: Final = Template(
    name="solve",
    text=f"{QUESTION}\nPlease reason step by step, and put your final answer within \\boxed{{}}.",
    by_language={"zh": f"{QUESTION}\n请一步一步思考，并把最终答案写在 \\boxed{{}} 中。"},
)
"""DeepSeek-R1's advice for mathematics (README), in the language of the question."""

TEMPLATES: Final[Mapping[str, Template]] = {template.name: template for template in (PLAIN, SOLVE)}


def _named(value: Any) -> Any:
    """A recipe's word is the name of a template; a text with {question} in it is one itself."""
    if not isinstance(value, str):
        return value
    if QUESTION in value:
        return {"text": value}
    if value not in TEMPLATES:
        raise ValueError(
            f"no template of this name; {suggest(value, TEMPLATES)}. "
            f"A text with {QUESTION} in it is a template of your own"
        )
    return TEMPLATES[value]


class Example(Config):
    """A worked example, put before the question as a turn of the user and one of the assistant."""

    question: str
    answer: str


class Asking(Config):
    """The fields that steps which ask a model share: how it is asked, and how it samples."""

    prompt: Annotated[Template, BeforeValidator(_named, json_schema_input_type=str | Template)] = (
        PLAIN
    )
    system: str | None = None
    """Replaces a system turn that the problem brings along."""
    few_shot: tuple[Example, ...] = ()
    chat_template_kwargs: dict[str, JsonValue] = {}
    sampling: Sampling = Sampling()
    samples: Annotated[int, Field(ge=1)] = 1
    """Completions for each problem."""

    @model_validator(mode="after")
    def _samples_differ(self) -> Asking:
        if self.samples > 1 and self.sampling.temperature == 0:
            raise ValueError(
                f"temperature 0 gives {self.samples} equal samples of each problem; "
                "set samples: 1, or a temperature"
            )
        return self

    def messages(self, problem: Sample) -> tuple[Message, ...]:
        """What the model is sent for a problem.

        Raises:
            RequestError: the problem has no user turn for a template to go around.
        """
        turns = list(problem.prompt)
        last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=None)
        if last is not None:
            shaped = self.prompt.fill(turns[last].content, problem.language)
            turns[last] = Message("user", shaped)
        elif self.prompt != PLAIN:
            raise RequestError(
                f"problem {problem.prompt_id} has no user turn to put the template "
                f"{self.prompt.name!r} around; use prompt: plain, or leave the row out"
            )
        if self.system is not None:
            turns = [turn for turn in turns if turn.role != "system"]
        leading = sum(1 for turn in turns if turn.role == "system")
        system = [] if self.system is None else [Message("system", self.system)]
        return (*system, *turns[:leading], *self._examples(problem), *turns[leading:])

    def _examples(self, problem: Sample) -> list[Message]:
        turns = []
        for example in self.few_shot:
            shaped = self.prompt.fill(example.question, problem.language)
            turns += [Message("user", shaped), Message("assistant", example.answer)]
        return turns
