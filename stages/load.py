"""The `load` step: a file, a folder, hub data or a built-in source becomes samples.

    load: {source: ./train.jsonl}
    load: {source: "hub:owner/name@rev", split: train, columns: {prompt: question}, rows: 500}
    load: {source: word_problems, rows: 1500, seed: 7, languages: [en, zh]}

Rows read = samples + quarantined, by reason; a row that cannot be used is kept whole under
`quarantine/`. Reading and the meaning of columns are in `reading/`. Nothing is judged:
a wrong key or a bad completion is loaded like any other.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, field_validator, model_validator

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.progress import Progress
from ..pipeline.references import Reference, reference_kind
from ..pipeline.sample import Sample, with_ids
from ..pipeline.shards import write_samples
from ..pipeline.stage import Context, Metrics, Stage
from ..pipeline.suggest import suggest
from .aside import Aside
from .reading.columns import FIELDS, LABELS, SplitText, meaning
from .reading.readers import read_rows
from .reading.rows import QUARANTINE_SCHEMA, Quarantined, Row
from .reading.samples import Reading
from .word_problems import word_problems

BUILTINS = {"word_problems": word_problems}
"""Sources that come with potstill, as functions of rows, seed, languages and split."""

_BUILTIN_ONLY = frozenset({"seed", "languages"})
_NOT_BUILTIN = frozenset({"skip", "subset", "columns", "split_text", "task", "language", "name"})
_PROGRESS_EVERY = 500

Source = Annotated[str, Reference("samples", ("path", "hub", "builtin"), tuple(BUILTINS))]


class Load(Stage):
    """Reads problems, with or without completions."""

    kind: ClassVar[str] = "load"

    source: Source
    rows: int | None = Field(None, ge=1)
    """Rows of the source to read, bad ones included; all of them if not given."""
    skip: int = Field(0, ge=0)
    """Rows of the source to pass over first, so that two loads of one file share none."""
    split: str | None = None
    """Of hub data and dataset folders; of `word_problems` train (the default) or heldout."""
    subset: str | None = None
    """Of hub data and dataset folders that have several configurations."""
    seed: int = 0
    languages: tuple[str, ...] = ("en", "zh")
    columns: dict[str, str] | None = None
    """A column, or a text with `$column` in it, for each field (`reading/expressions.py`)."""
    split_text: SplitText | None = None
    task: str | None = None
    language: str | None = None
    name: str | None = None
    """The `source` of every row; by default a column of that name, else the name of the step."""

    @field_validator("columns")
    @classmethod
    def _columns_are_fields(cls, columns: dict[str, str] | None) -> dict[str, str] | None:
        if columns is not None:
            for field in columns:
                if field not in FIELDS:
                    raise ValueError(f"columns sets {field!r}; {suggest(field, FIELDS)}")
            if "prompt" not in columns:
                raise ValueError("columns must say which column is the prompt")
            meaning(columns, {}, "")
        return columns

    @model_validator(mode="after")
    def _fields_fit_the_source(self) -> Load:
        built_in = reference_kind(self.source) == "word"
        strange = self.model_fields_set & (_NOT_BUILTIN if built_in else _BUILTIN_ONLY)
        if strange:
            kind = "a built-in source" if built_in else "a file, a folder or hub data"
            raise ValueError(f"{', '.join(sorted(strange))} cannot be used with {kind}")
        if built_in and self.rows is None:
            raise ValueError(f"rows must be given: {self.source} has no end")
        if doubled := sorted(self._labels().keys() & (self.columns or {}).keys()):
            raise ValueError(f"{', '.join(doubled)} is given both in columns and beside it")
        return self

    def run(self, context: Context) -> Metrics:
        """Write samples and `quarantine/`.

        Raises:
            RequestError: the source cannot be read, or a column is nowhere in it.
            StepFailed: not one row could be used.
        """
        step = context.step.rpartition("/")[2]
        means = meaning(self.columns, self._labels(), step, self.split_text)
        reading = Reading(self._rows(context), means, self._where(context))
        desk = _Desk(Aside(context.out / "quarantine", QUARANTINE_SCHEMA), context.progress)
        total = write_samples(context.out, with_ids(desk.usable(reading)))
        desk.aside.close()
        self._report(reading, desk, total)
        return {
            "read": total + desk.aside.total,
            "rows": total,
            "quarantined": desk.aside.reasons,
            "columns": reading.columns,
            **desk.tally,
        }

    def _labels(self) -> dict[str, str]:
        given = zip(LABELS, (self.task, self.language, self.name), strict=True)
        return {label: value for label, value in given if value is not None}

    def _where(self, context: Context) -> str:
        built_in = reference_kind(self.source) == "word"
        return self.source if built_in else str(context.path(self.source))

    def _rows(self, context: Context) -> Iterator[Row | Quarantined]:
        limits = [most for most in (self.rows, context.limit) if most is not None]
        stop = self.skip + min(limits) if limits else None
        if reference_kind(self.source) == "word":
            rows = self._built_in(min(limits))
        else:
            rows = read_rows(context.path(self.source), self.split, self.subset)
        return itertools.islice(rows, self.skip, stop)

    def _built_in(self, rows: int) -> Iterator[Row | Quarantined]:
        if self.source not in BUILTINS:
            raise RequestError(f"no built-in source {self.source!r}; known: {', '.join(BUILTINS)}")
        make = BUILTINS[self.source]
        try:
            problems = make(rows, self.seed, self.languages, self.split or "train")
        except ValueError as error:
            raise RequestError(str(error)) from error
        return (Row(number, values) for number, values in enumerate(problems, start=1))

    def _report(self, reading: Reading, desk: _Desk, total: int) -> None:
        if total == 0 and desk.first_bad is None:
            skipped = f" after the first {self.skip}" if self.skip else ""
            raise StepFailed(f"{reading.where} holds no rows{skipped}; expected at least one")
        if desk.first_bad is None:
            return
        reasons = ", ".join(f"{reason} {count}" for reason, count in desk.aside.reasons.items())
        example = f"{reading.where}:{desk.first_bad.number} ({desk.first_bad.reason})"
        counts = f"{desk.aside.total} of {total + desk.aside.total} rows"
        if total == 0:
            raise StepFailed(
                f"no row of {reading.where} could be used. {counts} were set aside: {reasons}; "
                f"the first is {example}. They are in {desk.aside.folder}"
            )
        desk.progress.note(f"{counts} quarantined: {reasons}; the first is {example}")


class _Desk:
    """Parts what can be used from what cannot, and counts."""

    def __init__(self, aside: Aside, progress: Progress) -> None:
        self.aside = aside
        self.progress = progress
        self.first_bad: Quarantined | None = None
        self.tally = Counter(with_answer=0, with_completion=0)

    def usable(self, reading: Reading) -> Iterator[Sample]:
        """The samples; everything else is put aside."""
        done = 0
        for done, found in enumerate(reading, start=1):
            if isinstance(found, Quarantined):
                self.first_bad = self.first_bad or found
                self.aside.put(row=found.number, reason=found.reason, text=found.text)
            else:
                self.tally["with_answer"] += found[1].answer is not None
                self.tally["with_completion"] += found[1].completion is not None
                yield found[1]
            if done % _PROGRESS_EVERY == 0:
                self.progress.update(done, quarantined=self.aside.total)
        self.progress.update(done, done, quarantined=self.aside.total)
