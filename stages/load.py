"""The `load` step: a file, a folder, hub data or a built-in source becomes samples.

    load: {source: ./train.jsonl}
    load: {source: "hub:owner/name@rev", split: train, columns: {prompt: question}, rows: 500}
    load: {source: word_problems, rows: 1500, seed: 7, languages: [en, zh]}

Rows read (and those that one row became beside the first) = samples + quarantined, by reason; a
row that cannot be used is kept whole under `quarantine/`. Reading and the meaning of columns are
in `reading/`; rows pass as columns, block by block. Nothing is judged: a wrong key or a bad
completion is loaded like any other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.external import split_hub
from ..pipeline.hub_files import HubFiles
from ..pipeline.references import Reference, reference_kind
from ..pipeline.stage import Context, Metrics, Stage
from ..pipeline.suggest import suggest
from .reading.blocks import Block, Listed
from .reading.columns import Meaning, meaning
from .reading.desk import Desk, Limits
from .reading.fields import FIELDS, LABELS
from .reading.readers import Meter, limited, read_blocks
from .reading.rows import Row
from .reading.samples import Reading
from .reading.sources import DataSource, HubSource, LocalSource
from .reading.split_text import SplitText
from .reading.stdin import STDIN
from .word_problems import word_problems

BUILTINS = {"word_problems": word_problems}
"""Sources that come with potstill, as functions of rows, seed, languages and split."""

_BUILTIN_ONLY = frozenset({"seed", "languages"})
_NOT_BUILTIN = frozenset(
    {"skip", "subset", "shape", "columns", "split_text", "task", "language", "name", "license"}
)
_BUILTIN_ROWS = 1000
"""Rows of a block of a built-in source."""


class Load(Stage):
    """Reads problems, with or without completions."""

    kind: ClassVar[str] = "load"
    version: ClassVar[int] = 2

    source: Annotated[str, Reference("samples", ("path", "hub", "builtin"), tuple(BUILTINS))]
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
    shape: str | None = None
    """The shape of the rows (docs/loading.md); recognised if neither it nor columns are given."""
    columns: dict[str, str] | None = None
    """A column, or a text with `$column` in it, for each field (`reading/expressions.py`)."""
    split_text: SplitText | None = None
    task: str | None = None
    language: str | None = None
    name: str | None = None
    """The `source` of every row; by default a column of that name, else the name of the step."""
    max_bad: Annotated[int, Field(ge=0)] | Annotated[float, Field(gt=0, lt=1)] | None = None
    """Quarantined rows to put up with: a number, or a share of the rows read; any if not given."""
    duplicate_ids: Literal["refuse", "keep"] = "refuse"
    """What to do when the source declares one `id` for two rows; ours are content either way."""
    license: str | None = None
    """Of the data, for the cards; by default what a folder's README.md or LICENSE says."""

    @field_validator("source")
    @classmethod
    def _source_can_be_read_again(cls, source: str) -> str:
        if source == STDIN:
            raise ValueError(
                "a recipe cannot read standard input: what a step was made from must be there to "
                "be compared later. Save it to a file and name that: source: ./rows.jsonl"
            )
        return source

    @field_validator("shape")
    @classmethod
    def _shape_is_known(cls, shape: str | None) -> str | None:
        meaning(None, {}, "", shape=shape)
        return shape

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
            RequestError: the source cannot be read, a column is nowhere in it, or it declares one
                id twice.
            StepFailed: not one row could be used, more than `max_bad` could not, or the hub did not
                give a file.
        """
        step = context.step.rpartition("/")[2]
        meter = Meter()
        source = None if reference_kind(self.source) == "word" else self._source(context)
        blocks = self._blocks(context, source, meter)
        reading = Reading(blocks, self.meaning(step), self._where(context))
        limits = Limits(self.max_bad, self.duplicate_ids == "refuse", self.skip)
        desk = Desk(context.out, context.progress, meter, limits, reading.means.of_pairs)
        counts = desk.take_all(reading)
        licence = self.license or (source.licence() if source else None)
        about = {"origin": self._origin(context), "license": licence}
        shape = reading.means.shape
        means = {"shape": shape.name if shape else None, "columns": reading.columns}
        pairs = {"pairs": counts["rows"] // 2} if reading.means.of_pairs else {}
        return {**counts, **pairs, **means, **about}

    def meaning(self, source: str) -> Meaning:
        """What rows mean before any was seen.

        Args:
            source: label of rows whose source is neither fixed nor a column.
        """
        return meaning(self.columns, self._labels(), source, self.split_text, self.shape)

    def opened(self, place: Path | HubFiles) -> DataSource:
        """What is read, from the place where `source` is."""
        if isinstance(place, HubFiles):
            return HubSource(place, self.split, self.subset)
        return LocalSource(place, self.split, self.subset)

    def _labels(self) -> dict[str, str]:
        given = zip(LABELS, (self.task, self.language, self.name), strict=True)
        return {label: value for label, value in given if value is not None}

    def _where(self, context: Context) -> str:
        kind = reference_kind(self.source)
        return str(context.path(self.source)) if kind == "path" else self.source

    def _source(self, context: Context) -> DataSource:
        if reference_kind(self.source) == "hub":
            return self.opened(HubFiles(self.source, context.digest(self.source)))
        return self.opened(context.path(self.source))

    def _blocks(self, context: Context, source: DataSource | None, meter: Meter) -> Iterator[Block]:
        limits = [most for most in (self.rows, context.limit) if most is not None]
        if source is None:
            return self._built_in(min(limits))
        stop = self.skip + min(limits) if limits else None
        return limited(read_blocks(source, meter), self.skip, stop)

    def _built_in(self, rows: int) -> Iterator[Block]:
        if self.source not in BUILTINS:
            raise RequestError(f"no built-in source {self.source!r}; known: {', '.join(BUILTINS)}")
        make = BUILTINS[self.source]
        try:
            problems = make(rows, self.seed, self.languages, self.split or "train")
        except ValueError as error:
            raise RequestError(str(error)) from error
        numbered = (Row(number, values) for number, values in enumerate(problems, start=1))
        while block := list(itertools.islice(numbered, _BUILTIN_ROWS)):
            yield Listed(self.source, block)

    def _origin(self, context: Context) -> dict[str, Any]:
        if reference_kind(self.source) == "word":
            return {"kind": "builtin", "name": self.source}
        if reference_kind(self.source) == "hub":
            name, _ = split_hub(self.source)
            return {"kind": "hub", "name": name, "revision": context.digest(self.source)}
        path = context.path(self.source)
        return {"kind": "folder" if path.is_dir() else "file", "name": path.name}
