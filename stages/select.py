"""The `select` step: which samples go on, by thresholds on their verdicts.

    select:
      samples: traces
      verdicts: verdicts                 # one judge step or a list of them
      keep: {format: 1, language: 0.95, math: 1}
      per_prompt: {shortest: 2}

A score must be at least its threshold. A score of None is unknown and not wrong: it is left out
as `<filter>_unknown` unless `unknown: keep`. Samples go on unchanged and in their order; the
others are named with their reason under `left_out/`. With `pairs` it is preference pairs that go
on: see pairs.py. Nothing is judged here.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import StepFailed
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import FilterName, Samples, Verdicts
from ..pipeline.shards import read_table, shard_files, write_table
from ..pipeline.stage import Context, Metrics, Stage
from .aside import LEFT_OUT_SCHEMA, Aside
from .choosing import PerPrompt, thin_out
from .pairs import Pairs, make_pairs, write_pairs
from .scores import Scores, read_scores

Threshold = Annotated[float, Field(ge=0, le=1)]
Unknown = Literal["leave_out", "keep"]


class Select(Stage):
    """Lets good samples go on, or pairs of a good and a bad one."""

    kind: ClassVar[str] = "select"

    samples: Samples
    verdicts: Verdicts | tuple[Verdicts, ...] = ()
    """Where verdicts are found, beside those that the samples' own step published."""
    keep: dict[FilterName, Threshold] = {}
    unknown: Unknown | dict[FilterName, Unknown] = "leave_out"
    per_prompt: PerPrompt | None = None
    pairs: Pairs | None = None
    """Make preference pairs for dpo of samples that are kept and samples that are known bad."""

    @model_validator(mode="after")
    def _says_something(self) -> Select:
        if not self.keep and self.per_prompt is None and self.pairs is None:
            raise ValueError("select must say what to keep: thresholds, per_prompt, both, or pairs")
        if isinstance(self.unknown, dict) and (strange := self.unknown.keys() - self.keep.keys()):
            raise ValueError(f"unknown names {', '.join(sorted(strange))}, which keep does not")
        return self

    @model_validator(mode="after")
    def _pairs_are_said_once(self) -> Select:
        if self.pairs is not None:
            if self.per_prompt is not None:
                raise ValueError("pairs has a per_prompt of its own: say pairs.per_prompt")
            self.pairs.least(self.keep.get(self.pairs.by))
        return self

    def run(self, context: Context) -> Metrics:
        """Write the samples or pairs that go on, and `left_out/`.

        Raises:
            RequestError: no verdicts of a filter on these samples, or they are pairs already.
            StepFailed: verdicts do not belong to the samples, or nothing is kept.
        """
        source = context.samples(self.samples)
        refuse_pairs(source, "select.samples")
        index = _index(source, texts=self.per_prompt is not None or self.pairs is not None)
        scores = self._scores(source, context, index)
        index = index.with_columns(reason=pl.coalesce(self._rejections(scores)))
        if self.pairs is not None:
            least = self.pairs.least(self.keep.get(self.pairs.by))
            made = make_pairs(index, scores[self.pairs.by], self.pairs, least)
            account = _account(source, context, made.index)
            told = write_pairs(source, made, context)
            return {**account, "used": account["rows"], "rows": 2 * len(made.rows), **told}
        if self.per_prompt is not None:
            index = thin_out(index, self.per_prompt)
        account = _account(source, context, index)
        _write_kept(source, index["reason"].is_null(), context)
        return account

    def _scores(self, source: Artifact, context: Context, index: pl.DataFrame) -> Scores:
        """The verdicts of the filters that `keep` and `pairs` name, in the order of their names: a
        recipe's order is not identity, so it must not show in the data."""
        names = {*self.keep, *([] if self.pairs is None else [self.pairs.by])}
        steps = (self.verdicts,) if isinstance(self.verdicts, str) else self.verdicts
        return read_scores(sorted(names), source, steps, index["id"], context)

    def _rejections(self, scores: Scores) -> list[pl.Expr]:
        """For each filter, the reason to leave a row out or null; the first one counts."""
        rejections: list[pl.Expr] = [pl.lit(None, pl.String)]
        for name in sorted(self.keep):
            score, reason = pl.lit(scores[name]["score"]), pl.lit(scores[name]["reason"])
            if self._unknown(name) == "leave_out":
                rejections.append(pl.when(score.is_null()).then(pl.lit(f"{name}_unknown")))
            rejections.append(pl.when(score < self.keep[name]).then(pl.lit(f"{name}_") + reason))
        return rejections

    def _unknown(self, name: str) -> Unknown:
        if isinstance(self.unknown, dict):
            return self.unknown.get(name, "leave_out")
        return self.unknown


def _index(source: Artifact, texts: bool) -> pl.DataFrame:
    """row, id, prompt_id and, where wanted, what is asked of completions: length (code points),
    text (a hash) and cut (by the token limit). No text stays in memory."""
    completion, generation = pl.col("completion"), pl.col("generation")
    asked = {
        "length": completion.str.len_chars(),
        "text": completion.hash(),
        "cut": (generation.struct.field("finish_reason") == "length").fill_null(False),
    }
    frames = []
    for file in shard_files(source.path):
        columns = ["id", "prompt_id", *(["completion", "generation"] if texts else [])]
        frame = pl.DataFrame(read_table(file, columns))
        frames.append(frame.select("id", "prompt_id", **(asked if texts else {})))
    return pl.concat(frames).with_row_index("row")


def _account(source: Artifact, context: Context, index: pl.DataFrame) -> Metrics:
    """Write `left_out/`; returns the counts: in = rows that go on + left out by reason.

    Raises:
        StepFailed: nothing goes on.
    """
    reasons = index["reason"]
    if reasons.null_count() == 0:
        counts = ", ".join(f"{row[0]} {row[1]}" for row in _ranking(reasons))
        raise StepFailed(
            f"none of the {len(index)} samples of step {source.step!r} is kept: "
            f"{counts or 'there are none'}. Look at them, or change the thresholds"
        )
    left_out = Aside(context.out / "left_out", LEFT_OUT_SCHEMA)
    for sample_id, reason in index.filter(reasons.is_not_null())["id", "reason"].iter_rows():
        left_out.put(id=sample_id, reason=reason)
    left_out.close()
    return {
        "in": len(index),
        "rows": reasons.null_count(),
        "left_out": left_out.reasons,
        "prompts_in": index["prompt_id"].n_unique(),
        "prompts": index.filter(reasons.is_null())["prompt_id"].n_unique(),
    }


def _ranking(reasons: pl.Series) -> list[tuple[str, int]]:
    """The most frequent reasons and their counts."""
    counts = reasons.value_counts(name="n").sort("n", "reason", descending=[True, False])
    return counts.head(5).rows()


def _write_kept(source: Artifact, kept: pl.Series, context: Context) -> None:
    """Copy the rows that go on, shard by shard."""
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
