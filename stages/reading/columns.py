"""What the columns of a source mean: from plain values to a `Sample`.

A recipe names columns (`columns:`), or nothing is named and well-known ones are recognised: the
fields of `Sample`, else question, problem, instruction (+ input) or messages for the prompt,
response or output for the completion, and finish_reason. The first that a row has counts. Columns
that stand for nothing go to `extra` as canonical JSON, a dataset's own `id` among them: our ids are
content.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...pipeline.errors import RequestError
from ...pipeline.fingerprint import canonical_json
from ...pipeline.sample import Message, Sample, new_sample
from ...pipeline.stage import Config
from ...pipeline.suggest import suggest
from .conversations import read_completion, read_prompt
from .expressions import Expression, as_text, expression
from .extras import pack_extra, read_generation
from .rows import BadRow

WELL_KNOWN: Mapping[str, tuple[str, ...]] = {
    "prompt": (
        "prompt",
        "messages",
        "conversations",
        "question",
        "problem",
        "$instruction\n${input?}",
    ),
    "completion": ("completion", "response", "output"),
    "answer": ("answer",),
    "task": ("task",),
    "language": ("language",),
    "source": ("source",),
    "generation": ("generation",),
    "finish_reason": ("finish_reason",),
}
"""By field, what is looked for where a recipe names no columns; the first one present counts."""

FIELDS = ("prompt", "completion", "answer", "task", "language", "source")
"""What `columns:` may set."""

LABELS = ("task", "language", "source")
"""Fields that a recipe may also give as one value for all rows."""


class SplitText(Config):
    """Cuts one column in two at the last `at`, before columns are looked up.

    GSM8K's answers hold the worked solution and the key in one text:
    `{column: answer, at: "####", into: [worked, key]}`.
    """

    column: str
    at: str
    into: tuple[str, str]

    def columns(self, have: set[str]) -> set[str]:
        """The columns of a source once its rows are cut.

        Raises:
            RequestError: `column` is not there, or one of `into` already is.
        """
        if self.column not in have:
            raise RequestError(
                f"split_text: there is no column {self.column!r}; {suggest(self.column, have)}"
            )
        rest = have - {self.column}
        if taken := sorted(rest & set(self.into)):
            raise RequestError(
                f"split_text makes a column {taken[0]!r}, which the source already has; "
                "choose another name for it"
            )
        return rest | set(self.into)

    def apply(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row with `into` in the place of `column`, both without outer white space.

        Raises:
            BadRow: missing:<column>, wrong_type:<column>, no_separator, or column_taken where
                this row already has a column of such a name.
        """
        rest = {name: value for name, value in values.items() if name != self.column}
        if rest.keys() & set(self.into):
            raise BadRow("column_taken")
        text = values.get(self.column)
        if text is None:
            raise BadRow(f"missing:{self.column}")
        if not isinstance(text, str):
            raise BadRow(f"wrong_type:{self.column}")
        before, found, after = text.rpartition(self.at)
        if not found:
            raise BadRow("no_separator")
        return {**rest, self.into[0]: before.strip(), self.into[1]: after.strip()}


@dataclass(frozen=True)
class Meaning:
    """How rows become samples."""

    choices: Mapping[str, tuple[Expression, ...]]
    """By field, where its value may come from; the first that a row has counts."""
    labels: Mapping[str, str]
    """Values of task, language and source for rows that do not say it themselves."""
    guessed: bool
    """Whether well-known names are looked for, so that a field may well be absent."""
    split: SplitText | None = None
    needs_prompt: bool = True
    """Whether a row without a prompt is a bad one; completions can be judged without."""

    def sample(self, values: Mapping[str, Any]) -> Sample:
        """One row as a sample, without its id.

        Raises:
            BadRow: the row cannot be used.
        """
        row = self.split.apply(values) if self.split else dict(values)
        chosen = {field: self._choose(field, row) for field in self.choices}
        used = {name for choice in chosen.values() for name in choice.used}
        value = {field: choice.value(row) for field, choice in chosen.items()}
        prompt, completion = self._prompt(value.get("prompt"))
        if value.get("completion") is not None:
            if completion is not None:
                raise BadRow("two_completions")
            completion = read_completion(value["completion"])
        return new_sample(
            prompt,
            completion=completion,
            answer=_answer(value.get("answer")),
            generation=read_generation(value.get("generation"), value.get("finish_reason")),
            extra=pack_extra({name: row[name] for name in row if name not in used}),
            **(dict(self.labels) | _labels(value)),
        )

    def understood(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Which column or text stands for which field in the first rows of a source.

        Raises:
            RequestError: no row has a column that is needed; the message says which there are.
        """
        have = {name for row in rows for name in row}
        if not have:
            return {}
        if self.split:
            have = self.split.columns(have)
        found = {}
        for field, choices in self.choices.items():
            fitting = [choice.source for choice in choices if choice.required <= have]
            if fitting:
                found[field] = fitting[0]
            elif not self.guessed or (field == "prompt" and self.needs_prompt):
                raise RequestError(self._not_found(field, have))
        enough = {"prompt", "completion"} if self.needs_prompt else {"completion", "answer"}
        if not found.keys() & (enough | {"prompt"}):
            raise RequestError(self._not_found("prompt", have))
        return found

    def _prompt(self, value: Any) -> tuple[tuple[Message, ...], str | None]:
        if value in (None, "") and not self.needs_prompt:
            return (), None
        if value is None:
            raise BadRow("missing_prompt")
        return read_prompt(value)

    def _choose(self, field: str, row: Mapping[str, Any]) -> Expression:
        for choice in self.choices[field]:
            if all(row.get(name) is not None for name in choice.required):
                return choice
        return self.choices[field][0]

    def _not_found(self, field: str, have: set[str]) -> str:
        wanted = [name for choice in self.choices[field] for name in sorted(choice.required)]
        if not self.guessed:
            missing = next(name for name in wanted if name not in have)
            return f"there is no column {missing!r} for the {field}; {suggest(missing, have)}"
        close = [near for name in wanted for near in difflib.get_close_matches(name, have, n=1)]
        hint = f"is {close[0]!r} it? " if close else ""
        return (
            f"there is no column for the {field} (looked for {', '.join(wanted)}); {hint}"
            f"Known: {', '.join(sorted(have))}. Name it with columns: {{{field}: COLUMN}}"
        )


def meaning(
    columns: Mapping[str, str] | None,
    labels: Mapping[str, str],
    source: str,
    split: SplitText | None = None,
) -> Meaning:
    """The meaning of the columns that a recipe names, or of the well-known ones.

    Args:
        labels: task, language and source as the recipe fixes them; columns that are only
            well known do not count against these.
        source: label of rows whose source is neither fixed nor a column.

    Raises:
        ValueError: a text has a '$' that begins no column.
    """
    named = {field: (text,) for field, text in columns.items()} if columns else dict(WELL_KNOWN)
    choices = {
        field: tuple(expression(text) for text in texts)
        for field, texts in named.items()
        if columns or field not in labels
    }
    return Meaning(choices, {"source": source, **labels}, not columns, split)


def _answer(value: Any) -> str | None:
    """The key as text; a blank one is no key, and an object is the JSON that it was written as."""
    if isinstance(value, dict):
        try:
            return canonical_json(value)
        except TypeError as error:
            raise BadRow("unreadable_value") from error
    text = None if value is None else as_text(value, "answer")
    return text if text and text.strip() else None


def _labels(value: Mapping[str, Any]) -> dict[str, str]:
    found = {label: value[label] for label in LABELS if value.get(label) is not None}
    for label, text in found.items():
        if not isinstance(text, str):
            raise BadRow(f"wrong_type:{label}")
    return found
