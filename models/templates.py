"""What a model is asked about a row: a Jinja template over the row's fields.

    prompt: solve                                  # a ready one (ready_templates.py)
    prompt: "Question: {{ question }}"             # a text of your own
    prompt: {text: "…", by_language: {zh: "…"}}    # by the row's language

A template may use the names in `VARIABLES`. Its text is part of the step's config and, through the
messages, of every request's key. Line breaks stay as written, but for the one after a `{% … %}`
tag, as in chat templates. How Jinja is kept in bounds is `template_engine.py`'s business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import model_validator

from ..pipeline.errors import RequestError
from ..pipeline.sample import Sample
from ..pipeline.stage import Config
from ..pipeline.verdict import Verdict
from .thinking import Span, split

THE_QUESTION: Final = "{{ question }}"

Verdicts = Mapping[str, Verdict]


def thinking_of(completion: str | None) -> str | None:
    """The thought of a completion without its tags; None where it has none."""
    return _part(completion, None if completion is None else split(completion).thought)


def final_answer_of(completion: str | None) -> str | None:
    """What is written after the thought; None while it is not ended."""
    return _part(completion, None if completion is None else split(completion).answer)


def _part(text: str | None, span: Span | None) -> str | None:
    return None if text is None or span is None else text[slice(*span)].strip()


_VALUES: Final[dict[str, Callable[[Sample, Verdicts | None], Any]]] = {
    "question": lambda row, verdicts: row.question or None,
    "prompt": lambda row, verdicts: [
        {"role": turn.role, "content": turn.content} for turn in row.prompt
    ],
    "completion": lambda row, verdicts: row.completion,
    "thinking": lambda row, verdicts: thinking_of(row.completion),
    "final_answer": lambda row, verdicts: final_answer_of(row.completion),
    "answer": lambda row, verdicts: row.answer,
    "task": lambda row, verdicts: row.task,
    "language": lambda row, verdicts: row.language,
    "source": lambda row, verdicts: row.source,
    "extra": lambda row, verdicts: json.loads(row.extra),
    "verdicts": lambda row, verdicts: _plain(verdicts) if verdicts else None,
}

VARIABLES: Final = tuple(_VALUES)
"""What a template may use. `answer` is the key to check against; `thinking` and `final_answer` are
the parts of `completion`; `verdicts` maps a filter's name to its score, reason and evidence."""

OF_THE_COMPLETION: Final = frozenset({"completion", "thinking", "final_answer"})

_OLD_FORM: Final = re.compile(r"\{(" + "|".join(VARIABLES) + r")\}")


class Template(Config):
    """A text around a row, checked when the recipe is read."""

    name: str = "inline"
    text: str
    by_language: dict[str, str] = {}
    """Texts for rows whose `language` is named here."""

    @model_validator(mode="after")
    def _is_understood(self) -> Template:
        for text in (self.text, *self.by_language.values()):
            _check(text)
        return self

    @property
    def variables(self) -> frozenset[str]:
        """The names that it uses, in any of its languages."""
        used: frozenset[str] = frozenset()
        for text in (self.text, *self.by_language.values()):
            used |= _check(text)
        return used

    @property
    def is_plain(self) -> bool:
        """It is the question and nothing else."""
        return self.text == THE_QUESTION and not self.by_language

    def fill(
        self, row: Sample, verdicts: Verdicts | None = None, like: Sample | None = None
    ) -> str:
        """The text for a row.

        Args:
            verdicts: what is known of the row, by filter.
            like: a row in whose language the text is taken; None: the row itself.

        Raises:
            RequestError: the row lacks something that the template prints; names both.
        """
        language = (row if like is None else like).language
        text = self.by_language.get(language or "", self.text)
        if text == THE_QUESTION:
            return row.question
        from .template_engine import NotFilled, compile_template

        compiled = compile_template(text, VARIABLES)
        values = {name: _VALUES[name](row, verdicts) for name in compiled.variables}
        try:
            return compiled.fill(values)
        except NotFilled as error:
            raise RequestError(
                f"the template {self.name!r} cannot be filled for row {row.id or row.prompt_id}: "
                f"{error}. Correct the template, put a condition around it ({{% if … %}}), or "
                "leave the row out."
            ) from error


def _check(text: str) -> frozenset[str]:
    """The variables of a text, or ValueError for what is no template."""
    if text == THE_QUESTION:
        return frozenset({"question"})
    if "{{" not in text and "{%" not in text and (old := _OLD_FORM.search(text)):
        raise ValueError(f"{old[0]} is plain text in a template; write {{{{ {old[1]} }}}}")
    from .template_engine import compile_template

    return compile_template(text, VARIABLES).variables


def _plain(verdicts: Verdicts) -> dict[str, Any]:
    return {
        name: {
            "score": verdict.score,
            "reason": verdict.reason,
            "evidence": dict(verdict.evidence),
        }
        for name, verdict in verdicts.items()
    }
