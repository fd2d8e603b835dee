"""What the columns of a source mean: from plain values to samples.

A recipe names columns (`columns:`), or the shape of the rows is recognised (`shapes.py`) and says
which they are; beyond these, well-known names are looked for (`fields.py`). The first that a row
has counts. Columns that stand for nothing go to `extra` as canonical JSON, a dataset's own `id`
among them: our ids are content. Languages are not detected here (`understanding.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...pipeline.errors import RequestError
from ...pipeline.fingerprint import canonical_json
from ...pipeline.sample import Message, Sample, new_sample
from ...pipeline.suggest import suggest
from .conversations import read_completion, read_prompt, with_history, with_system
from .expressions import Column, Expression, as_text, expression
from .extras import pack_extra, read_generation
from .fields import LABELS, WELL_KNOWN
from .rows import BadRow
from .shapes import SHAPES, Shape, fitting
from .split_text import SplitText
from .thinking import MOST_OF_A_LABEL, NONE, SEPARATE, in_tags, joined


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
    shape: Shape | None = None
    """How rows are turned first; None where the recipe names columns and no shape."""

    @property
    def of_pairs(self) -> bool:
        """Whether each row becomes two samples, a better and a worse one."""
        return self.shape is not None and self.shape.of_pairs

    def for_rows(self, rows: list[Mapping[str, Any]]) -> tuple[Meaning, list[Shape]]:
        """The meaning for a source that begins with these rows, and the shapes that fit them.

        Raises:
            RequestError: the shape is known and not read.
        """
        shapes = fitting(rows)
        means = self._without_labels(rows) if self.guessed else self
        if self.shape is not None:
            return means._with_shape(self.shape), shapes
        if not self.guessed or self.split is not None or not shapes:
            return means, shapes
        return means._with_shape(shapes[0]), shapes

    def _with_shape(self, shape: Shape) -> Meaning:
        if self.guessed and shape.refused:
            raise RequestError(shape.refused)
        labels = {**({"task": shape.task} if shape.task else {}), **self.labels}
        split = self.split or shape.split
        if not self.guessed:
            return replace(self, shape=shape, labels=labels, split=split)
        choices = dict(self.choices)
        for field, text in shape.columns.items():
            others = [choice.source for choice in choices.get(field, ())]
            choices[field] = tuple(map(expression, dict.fromkeys([text, *others])))
        return replace(self, shape=shape, choices=choices, labels=labels, split=split)

    def _without_labels(self, rows: list[Mapping[str, Any]]) -> Meaning:
        """The same, without columns that are called like thoughts and hold labels."""
        thoughts = []
        for choice in self.choices.get("thought", ()):
            values = [row.get(choice.source) for row in rows]
            texts = [value for value in values if isinstance(value, str) and value.strip()]
            if not texts or any(len(text) > MOST_OF_A_LABEL for text in texts):
                thoughts.append(choice)
        return replace(self, choices={**self.choices, "thought": tuple(thoughts)})

    def samples(self, values: Mapping[str, Any]) -> list[tuple[Sample, str]]:
        """One row as samples without their ids, each with the form that its thought had.

        Raises:
            BadRow: the row cannot be used.
        """
        row = self.split.apply(values) if self.split else dict(values)
        turned = self.shape.turn(row) if self.shape and self.shape.turn else [row]
        return [self._sample(each) for each in turned]

    def _sample(self, row: dict[str, Any]) -> tuple[Sample, str]:
        chosen = {field: self._choose(field, row) for field in self.choices}
        value = {field: choice.value(row) for field, choice in chosen.items() if choice}
        prompt, completion, form = self._said(value)
        thought = self._thought(value.get("thought"))
        if thought and completion is not None and form == NONE:
            completion, form = joined(thought, completion), SEPARATE
        elif thought != "":  # the completion has its own, or there is none: it stays in `extra`
            chosen["thought"] = None
        used = {name for choice in chosen.values() if choice for name in choice.used}
        sample = new_sample(
            prompt,
            completion=completion,
            answer=_answer(value.get("answer")),
            generation=read_generation(value.get("generation"), value.get("finish_reason")),
            extra=pack_extra({name: row[name] for name in row if name not in used}),
            **(dict(self.labels) | _labels(value)),
        )
        return sample, form

    def understood(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Which column or text stands for which field in the first rows of a source.

        Raises:
            RequestError: no row has a column that is needed; the message says which there are.
        """
        have = self.names(rows)
        if not have:
            return {}
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

    def names(self, rows: Iterable[Mapping[str, Any]]) -> set[str]:
        """The columns of rows once they are cut and turned."""
        have: set[str] = set()
        for row in rows:
            have |= row.keys()
        if self.split and have:
            have = self.split.columns(have)
        if self.shape and self.shape.turn:
            for row in rows:
                try:
                    cut = self.split.apply(row) if self.split else dict(row)
                    have |= {name for each in self.shape.turn(cut) for name in each}
                except BadRow:
                    continue
        return have

    def _said(self, value: Mapping[str, Any]) -> tuple[tuple[Message, ...], str | None, str]:
        """The prompt, the completion, and the form of its thought."""
        messages: tuple[Message, ...] = ()
        completion, form = None, ""
        if value.get("prompt") is not None:
            messages, completion, form = self._prompt(value["prompt"])
        elif self.needs_prompt:
            raise BadRow("missing_prompt")
        if value.get("completion") is not None:
            if completion is not None:
                raise BadRow("two_completions")
            completion, form = read_completion(value["completion"])
        if completion is not None and form != SEPARATE:
            completion, form = in_tags(completion)
        messages = with_system(with_history(messages, value.get("history")), value.get("system"))
        return messages, completion, form

    def _prompt(self, value: Any) -> tuple[tuple[Message, ...], str | None, str]:
        if value == "" and not self.needs_prompt:
            return (), None, ""
        return read_prompt(value)

    def _thought(self, value: Any) -> str | None:
        """A thought, "" for a blank one; None where there is none, or a guess was wrong."""
        if isinstance(value, str):
            return value.strip()
        if value is not None and not self.guessed:
            raise BadRow("wrong_type:thought")
        return None

    def _choose(self, field: str, row: Mapping[str, Any]) -> Expression | None:
        choices = self.choices[field]
        for choice in choices:
            if all(row.get(name) is not None for name in choice.required):
                return choice
        columns = (each for each in choices if isinstance(each, Column))
        return next(columns, choices[0] if choices else None)

    def _not_found(self, field: str, have: set[str]) -> str:
        wanted = [name for choice in self.choices[field] for name in sorted(choice.required)]
        if not self.guessed:
            missing = next(name for name in wanted if name not in have)
            return f"there is no column {missing!r} for the {field}; {suggest(missing, have)}"
        close = [near for name in wanted for near in difflib.get_close_matches(name, have, n=1)]
        hint = f"is {close[0]!r} it? " if close else ""
        looked = ", ".join(dict.fromkeys(wanted))
        return (
            f"there is no column for the {field} (looked for {looked}); {hint}"
            f"Known: {', '.join(sorted(have))}. Name it with columns: {{{field}: COLUMN}}"
        )


def meaning(
    columns: Mapping[str, str] | None,
    labels: Mapping[str, str],
    source: str,
    split: SplitText | None = None,
    shape: str | None = None,
) -> Meaning:
    """The meaning of the columns that a recipe names, or of the well-known ones.

    Args:
        labels: task, language and source as the recipe fixes them; columns that are only
            well known do not count against these.
        source: label of rows whose source is neither fixed nor a column.
        shape: name of the shape of the rows; recognised if neither it nor columns are given.

    Raises:
        ValueError: a text has a '$' that begins no column, or no shape has this name.
    """
    named = {field: (text,) for field, text in columns.items()} if columns else dict(WELL_KNOWN)
    choices = {
        field: tuple(expression(text) for text in texts)
        for field, texts in named.items()
        if columns or field not in labels
    }
    known = {each.name: each for each in SHAPES}
    if shape is not None and shape not in known:
        raise ValueError(f"no shape is called {shape!r}; {suggest(shape, known)}")
    given = {"source": source, **labels}
    return Meaning(choices, given, not columns, split, shape=known[shape] if shape else None)


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
