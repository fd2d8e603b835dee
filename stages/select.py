"""The `select` step: which samples go on, by thresholds on their verdicts.

    select:
      samples: traces
      verdicts: verdicts                 # one judge step or a list of them
      keep: {format: 1, language: 0.95, math: 1}
      per_prompt: {shortest: 2}

A score must be at least its threshold. A score of None is unknown and not wrong: it is left out
as `<filter>_unknown` unless `unknown: keep`. Samples go on unchanged and in their order; the
others are named with their reason under `left_out/`. Nothing is judged here.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.references import FilterName, Samples, Verdicts
from ..pipeline.shards import read_table, shard_files, write_table
from ..pipeline.stage import Config, Context, Metrics, Stage
from ..pipeline.verdicts import (
    VerdictSet,
    find_verdicts,
    read_verdict_sets,
    samples_digest,
)
from .aside import LEFT_OUT_SCHEMA, Aside

Threshold = Annotated[float, Field(ge=0, le=1)]
Unknown = Literal["leave_out", "keep"]


class PerPrompt(Config):
    """How many samples of one problem go on, and which: exactly one of the three."""

    shortest: int | None = Field(None, ge=1)
    """By code points of the completion; equals in their order."""
    first: int | None = Field(None, ge=1)
    random: int | None = Field(None, ge=1)
    """By a hash of seed and id: the same ones whatever stands beside them."""
    seed: int = 0

    @model_validator(mode="after")
    def _one_way(self) -> PerPrompt:
        if sum(most is not None for most in (self.shortest, self.first, self.random)) != 1:
            raise ValueError("per_prompt must say one of shortest, first and random")
        if "seed" in self.model_fields_set and self.random is None:
            raise ValueError("seed belongs to per_prompt: {random: …}")
        return self

    @property
    def most(self) -> int:
        return self.shortest or self.first or self.random or 0


class Select(Stage):
    """Lets good samples go on."""

    kind: ClassVar[str] = "select"

    samples: Samples
    verdicts: Verdicts | tuple[Verdicts, ...] = ()
    """Where verdicts are found, beside those that the samples' own step published."""
    keep: dict[FilterName, Threshold] = {}
    unknown: Unknown | dict[FilterName, Unknown] = "leave_out"
    per_prompt: PerPrompt | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Select:
        if not self.keep and self.per_prompt is None:
            raise ValueError("select must say what to keep: thresholds, per_prompt, or both")
        if isinstance(self.unknown, dict) and (strange := self.unknown.keys() - self.keep.keys()):
            raise ValueError(f"unknown names {', '.join(sorted(strange))}, which keep does not")
        return self

    def run(self, context: Context) -> Metrics:
        """Write the samples that go on, and `left_out/`.

        Raises:
            RequestError: no verdicts of a filter on these samples.
            StepFailed: verdicts do not belong to the samples, or nothing is kept.
        """
        source = context.samples(self.samples)
        index = _index(source, lengths=self.per_prompt is not None)
        index = index.with_columns(reason=pl.coalesce(self._rejections(source, context, index)))
        if self.per_prompt is not None:
            index = _thin_out(index, self.per_prompt)
        reasons = index["reason"]
        if reasons.null_count() == 0:
            counts = ", ".join(f"{row[0]} {row[1]}" for row in _ranking(reasons))
            raise StepFailed(
                f"none of the {len(index)} samples of step {source.step!r} is kept: "
                f"{counts or 'there are none'}. Look at them, or lower a threshold in 'keep'"
            )
        rows = _write_kept(source, reasons.is_null(), context)
        left_out = Aside(context.out / "left_out", LEFT_OUT_SCHEMA)
        for sample_id, reason in index.filter(reasons.is_not_null())["id", "reason"].iter_rows():
            left_out.put(id=sample_id, reason=reason)
        left_out.close()
        return {
            "in": len(index),
            "rows": rows,
            "left_out": left_out.reasons,
            "prompts_in": index["prompt_id"].n_unique(),
            "prompts": index.filter(reasons.is_null())["prompt_id"].n_unique(),
        }

    def _rejections(self, source: Artifact, context: Context, index: pl.DataFrame) -> list[pl.Expr]:
        """For each filter, the reason to leave a row out or null; the first one counts.

        Filters are asked in the order of their names: a recipe's order is not identity, so it must
        not show in the data.
        """
        rejections: list[pl.Expr] = [pl.lit(None, pl.String)]
        places = [source, *(context.inputs[name] for name in _listed(self.verdicts))]
        digest = samples_digest(source.path) if self.keep else ""
        for name in sorted(self.keep):
            identity = context.filters[name].identity(context.digest)
            found = find_verdicts([p.path for p in places], identity, digest)
            if found is None:
                raise RequestError(_not_judged(name, places, source))
            scores = _scores(found, source, index)
            score, reason = pl.lit(scores["score"]), pl.lit(scores["reason"])
            if self._unknown(name) == "leave_out":
                rejections.append(pl.when(score.is_null()).then(pl.lit(f"{name}_unknown")))
            rejections.append(pl.when(score < self.keep[name]).then(pl.lit(f"{name}_") + reason))
        return rejections

    def _unknown(self, name: str) -> Unknown:
        if isinstance(self.unknown, dict):
            return self.unknown.get(name, "leave_out")
        return self.unknown


def _listed(verdicts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (verdicts,) if isinstance(verdicts, str) else verdicts


def _index(source: Artifact, lengths: bool) -> pl.DataFrame:
    """id, prompt_id and, where wanted, the completion's length; no text stays in memory."""
    frames = []
    for file in shard_files(source.path):
        columns = ["id", "prompt_id", *(["completion"] if lengths else [])]
        frame = pl.DataFrame(read_table(file, columns))
        if lengths:
            size = pl.col("completion").str.len_chars().alias("length")
            frame = frame.select("id", "prompt_id", size)
        frames.append(frame)
    return pl.concat(frames)


def _scores(found: VerdictSet, source: Artifact, index: pl.DataFrame) -> pl.DataFrame:
    """Scores and reasons of one filter, row-aligned with the index."""
    frame = pl.DataFrame(read_table(shard_files(found.path), ["id", "score", "reason"]))
    if not frame["id"].equals(index["id"]):
        raise StepFailed(
            f"{found.path} does not hold the verdicts of the {len(index)} samples of step "
            f"{source.step!r} in their order. Remove its step's folder and run again"
        )
    return frame


def _not_judged(name: str, places: list[Artifact], source: Artifact) -> str:
    lines = []
    for place in places:
        sets = read_verdict_sets(place.path)
        what = ", ".join(sets) or "no verdicts"
        stale = f" (its {name!r} has other settings or judged other samples)" * (name in sets)
        lines.append(f"step {place.step!r} has {what}{stale}")
    return (
        f"keep names filter {name!r}, but it has not judged the samples of step {source.step!r}: "
        f"{'; '.join(lines)}. Add {name!r} to the filters of a judge step that 'verdicts' names"
    )


def _thin_out(index: pl.DataFrame, per_prompt: PerPrompt) -> pl.DataFrame:
    """Give what is too many of one prompt the reason `per_prompt`."""
    row = pl.int_range(pl.len()).alias("row")
    kept = index.with_columns(row).filter(pl.col("reason").is_null())
    if per_prompt.shortest is not None:
        kept = kept.sort("length", "row", nulls_last=True)
    elif per_prompt.random is not None:
        ranks = [_draw(per_prompt.seed, sample_id) for sample_id in kept["id"]]
        kept = kept.with_columns(pl.Series("rank", ranks, pl.Binary)).sort("rank", "row")
    place = pl.int_range(pl.len()).over("prompt_id")
    surplus = kept.filter(place >= per_prompt.most)["row"]
    is_surplus = pl.int_range(pl.len()).is_in(surplus.implode())
    reason = pl.when(is_surplus).then(pl.lit("per_prompt")).otherwise("reason")
    return index.with_columns(reason=reason)


def _draw(seed: int, sample_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{sample_id}".encode(), digest_size=8).digest()


def _ranking(reasons: pl.Series) -> list[tuple[str, int]]:
    """The most frequent reasons and their counts."""
    counts = reasons.value_counts(name="n").sort("n", "reason", descending=[True, False])
    return counts.head(5).rows()


def _write_kept(source: Artifact, kept: pl.Series, context: Context) -> int:
    """Copy the rows that go on, shard by shard; returns their number."""
    start, shards, rows = 0, 0, 0
    for file in shard_files(source.path):
        table = read_table(file)
        mask = kept.slice(start, table.num_rows)
        start += table.num_rows
        chosen = table.filter(pa.chunked_array([mask.to_arrow()]))
        if chosen.num_rows:
            write_table(context.out / f"part-{shards:05d}.parquet", chosen)
            shards += 1
            rows += chosen.num_rows
        context.progress.update(start, len(kept), kept=rows)
    return rows
