"""All that finished steps hold of one problem: rows, verdicts, tokens, and what was set aside.

A sample's life is told from the same facts as its problem's, since who its rivals were says why it
was left out. Texts are measured, shard by shard, and not kept, but for the row that is shown. A
problem with more than `MOST_SAMPLES` samples is told by the first of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from ..filters.languages.words import token_texts
from ..pipeline.shards import shard_files
from ..pipeline.verdict import Verdict
from .family import REJECTED
from .why_measured import Measured, measured, parts_of
from .why_steps import ROW, Step, frame_of, matching, whole_rows

MOST_SAMPLES: Final = 1000
OWN_COLUMNS: Final = ("copy", "pair", "side", "step", "reward", "advantage")
"""What steps write beside the columns of a sample."""


@dataclass
class Problem:
    """What is known of one problem, step by step."""

    prompt_id: str
    steps: Sequence[Step]
    """All finished steps, in order."""
    held: dict[Step, list[dict[str, Any]]]
    """The rows of each step that has some: `ROW`, id and the columns of `OWN_COLUMNS`."""
    samples: dict[str, Measured]
    """By id, in the order in which they were first seen."""
    row: dict[str, Any]
    """One of its rows, whole."""
    not_told: int = 0
    """Samples beyond `MOST_SAMPLES`."""
    _verdicts: dict[Step, dict[str, dict[str, dict[str, Any]]]] = field(default_factory=dict)
    _tokens: dict[Step, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @cached_property
    def aside(self) -> dict[Step, dict[str, list[dict[str, Any]]]]:
        """By step and folder: rows that were set aside and concern it."""
        return {
            step: {folder: list(self._set_aside(step, folder)) for folder in REJECTED}
            for step in self.steps
        }

    @cached_property
    def made(self) -> list[str]:
        """The samples with a completion."""
        return [name for name, sample in self.samples.items() if sample.completed]

    def verdicts(self, step: Step) -> dict[str, dict[str, dict[str, Any]]]:
        """What a step published: by filter and sample score, reason and evidence."""
        if step not in self._verdicts:
            self._verdicts[step] = {
                name: self._said(shard_files(found.path)) for name, found in step.sets.items()
            }
        return self._verdicts[step]

    def left_out(self, step: Step) -> dict[str, dict[str, Any]]:
        """By sample, the row of the step's `left_out/`."""
        return {row["id"]: row for row in self.aside[step]["left_out"] if row.get("id")}

    def rows(self, step: Step | None) -> list[dict[str, Any]]:
        """The rows that a step holds; none for a step that is not there (any more)."""
        return self.held.get(step, []) if step is not None else []

    def holds(self, step: Step | None, sample_id: str) -> int:
        """How often a step holds a sample."""
        return sum(row["id"] == sample_id for row in self.rows(step))

    def changed_by(self, step: Step) -> dict[str, str]:
        """Samples that a step made of others of this problem, and the other: of `label` the one
        that had no key yet, of `generate` with `refine` the one that was rewritten."""
        new = {one: sample for one, sample in self.samples.items() if sample.made_by is step}
        if step.kind == "generate" and step.config.get("refine"):
            found = {one: json.loads(sample.columns["extra"]) for one, sample in new.items()}
            olds = {one: extra.get("original", {}).get("id") for one, extra in found.items()}
        elif step.kind == "label":
            source = step.input(step.config.get("samples"), self.steps)
            before = [row["id"] for row in self.rows(source)]
            by_content = {self.samples[one].content: one for one in before}
            olds = {one: by_content.get(sample.content) for one, sample in new.items()}
        else:
            return {}
        return {one: old for one, old in olds.items() if old in self.samples and old != one}

    def tokens(self, step: Step) -> dict[str, dict[str, Any]]:
        """By sample, its tokens and loss tokens as a mix step counted them for its student, whether
        it is in the mixture or was left out; empty where it named none."""
        if step not in self._tokens:
            parts = step.config.get("parts", {}) if step.kind == "mix" else {}
            folders = ["tokens", *(f"counts/{name}" for name in sorted(parts))]
            found = [self._beside(step, folder) for folder in folders]
            self._tokens[step] = {key: row for rows in reversed(found) for key, row in rows.items()}
        return self._tokens[step]

    def _beside(self, step: Step, folder: str) -> dict[str, dict[str, Any]]:
        frame = step.aside(folder)
        if frame is None:
            return {}
        names = [name for name in frame.collect_schema().names() if not name.startswith("__")]
        found = matching(frame, pl.col("id").is_in(list(self.samples)), names)
        return {row["id"]: row for row in found.drop(ROW).iter_rows(named=True)}

    def length(self, sample_id: str, part: str, unit: str) -> int | None:
        """How long a part of a sample is, in characters, words or tokens; None is unknown."""
        sample = self.samples[sample_id]
        if unit == "words":  # counted for the one that is asked about: it takes a while
            row = next(whole_rows(sample.made_by, "id", [sample_id]))
            texts = parts_of(row).get(part)
            return None if texts is None else len(token_texts("\n".join(texts)))
        known: Mapping[str, int | None] = sample.tokens if unit == "tokens" else sample.characters
        return known.get(part)

    def _said(self, files: Sequence[Any]) -> dict[str, dict[str, Any]]:
        frame = frame_of(files)
        if frame is None:
            return {}
        columns = ("id", "score", "reason", "evidence")
        rows = matching(frame, pl.col("id").is_in(list(self.samples)), columns)
        found = {}
        for row in rows.iter_rows(named=True):
            verdict = Verdict.from_row(row)
            found[row["id"]] = {
                "score": verdict.score,
                "reason": verdict.reason,
                "evidence": dict(verdict.evidence),
            }
        return found

    def _set_aside(self, step: Step, folder: str) -> Iterator[dict[str, Any]]:
        frame = step.aside(folder)
        schema = frame.collect_schema() if frame is not None else {}
        ids = list(self.samples)
        values = {"id": ids, "of": ids, "prompt_id": [self.prompt_id]}
        asked = [
            pl.col(name).is_in(wanted)
            for name, wanted in values.items()
            if schema.get(name) == pl.String
        ]
        if frame is not None and asked:
            columns = [name for name in schema if not name.startswith("__")]
            rows = matching(frame, pl.any_horizontal(asked), columns)
            yield from rows.drop(ROW).iter_rows(named=True)


def gather(steps: Sequence[Step], prompt_id: str, wanted: str | None = None) -> Problem:
    """Look for a problem in all steps.

    Args:
        wanted: id of a sample that must be told, however many there are; its row is the one shown.
    """
    found = {step: _rows(step, prompt_id) for step in steps}
    held = {step: rows for step, rows in found.items() if len(rows)}
    first = [rows.select("id", place=pl.lit(place)) for place, rows in enumerate(held.values())]
    ids = pl.concat(first).unique("id", keep="first", maintain_order=True)
    told = ids.filter((pl.int_range(pl.len()) < MOST_SAMPLES) | pl.col("id").is_in([wanted or ""]))
    samples: dict[str, Measured] = {}
    shown: dict[str, Any] = {}
    for place, step in enumerate(held):
        for row in whole_rows(step, "id", told.filter(place=place)["id"].to_list()):
            samples.setdefault(row["id"], measured(row, step))
            if row["id"] == wanted or not shown:
                shown = row
    is_told = pl.col("id").is_in(told["id"].to_list())
    rows_told = {step: rows.filter(is_told).to_dicts() for step, rows in held.items()}
    return Problem(prompt_id, steps, rows_told, samples, shown, len(ids) - len(told))


def _rows(step: Step, prompt_id: str) -> pl.DataFrame:
    if step.samples is None:
        return pl.DataFrame({"id": []})
    names = step.samples.collect_schema().names()
    own = [name for name in OWN_COLUMNS if name in names]
    return matching(step.samples, pl.col("prompt_id") == prompt_id, ("id", *own))
