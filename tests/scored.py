"""Samples whose scores stand in `extra`, and a select step over verdicts that say them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

import polars as pl
from toys import InProcess
from workbench import Workbench, aside, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.filter import CorpusFilter, Filter, JudgeContext
from potstill.pipeline.sample import SAMPLE_SCHEMA, Sample, with_ids
from potstill.pipeline.shards import read_table, shard_files, write_rows, write_table
from potstill.pipeline.verdict import Verdict
from potstill.stages.judge import JudgeSamples
from potstill.stages.select import Select


class Says(InProcess):
    """Reads its score from `extra`, as `{"<field>": score}`; a missing one is unknown."""

    kind: ClassVar[str] = "says"
    reasons: ClassVar[frozenset[str]] = frozenset({"good", "bad", "silent"})
    field: str

    def judge_one(self, sample: Sample) -> Verdict:
        score = json.loads(sample.extra).get(self.field)
        if score is None:
            return Verdict(None, "silent")
        return Verdict(score, "good" if score >= 0.5 else "bad")


class Near(CorpusFilter):
    """Calls a sample a duplicate of the sample before it with the same `{"group": …}`."""

    kind: ClassVar[str] = "near"
    reasons: ClassVar[frozenset[str]] = frozenset({"single", "again"})

    def judge_all(self, samples: pl.LazyFrame, context: JudgeContext) -> pl.LazyFrame:
        group = pl.col("extra").str.json_path_match("$.group")
        group = pl.coalesce(group, "id")
        before = pl.col("id").shift().over(group)
        evidence = pl.concat_str(pl.lit('{"duplicate_of":"'), before, pl.lit('"}'))
        return samples.select(
            "id",
            score=pl.when(before.is_null()).then(1.0).otherwise(0.0),
            reason=pl.when(before.is_null()).then(pl.lit("single")).otherwise(pl.lit("again")),
            evidence=pl.coalesce(evidence, pl.lit("{}")),
        )


FILTERS: dict[str, Filter] = {"a": Says(field="a"), "b": Says(field="b"), "near": Near()}


def trace(
    question: str, completion: str | None, said: dict[str, Any] | None = None, **fields: Any
) -> Sample:
    """A sample with its scores, and its group of near duplicates, in `extra`."""
    return problem(question, completion, extra=json.dumps(said or {}, sort_keys=True), **fields)


def in_shards(bench: Workbench, name: str, samples: Iterable[Sample], rows: int) -> Artifact:
    """An artifact of the same samples in shards of so many rows."""
    given = bench.context(name)
    written = (sample.to_row() for sample in with_ids(samples))
    write_rows(given.out, written, SAMPLE_SCHEMA, rows)
    return bench._finish(given, "made_by_hand", {})


def judge(bench: Workbench, traces: Artifact, name: str = "verdicts") -> Artifact:
    """Verdicts of all of `FILTERS`."""
    stage = JudgeSamples(samples="traces", filters=tuple(FILTERS))
    return bench.run(name, stage, inputs={"traces": traces}, filters=FILTERS)


def recut(verdicts: Artifact, rows: int) -> None:
    """Cut verdicts into shards of so many rows."""
    for name in FILTERS:
        folder = verdicts.path / "verdicts" / name
        files = shard_files(folder)
        table = read_table(files)
        for file in files:
            file.unlink()
        for shard, start in enumerate(range(0, max(1, table.num_rows), rows)):
            write_table(folder / f"part-{shard:05d}.parquet", table.slice(start, rows))


def select(bench: Workbench, traces: Artifact, name: str = "chosen", **fields: Any) -> Artifact:
    """What a select step makes of judged samples."""
    verdicts = judge(bench, traces, f"{name}_verdicts")
    inputs = {"traces": traces, "verdicts": verdicts}
    stage = Select(samples="traces", verdicts="verdicts", **fields)
    return bench.run(name, stage, inputs=inputs, filters=FILTERS)


def said(artifact: Artifact) -> list[str | None]:
    """The completions of an artifact, in order."""
    return [sample.completion for sample in artifact.samples()]


def reasons(chosen: Artifact, samples: list[Sample]) -> dict[str | None, str]:
    """By completion why it was left out; in = rows + left out."""
    completions = {sample.id: sample.completion for sample in with_ids(samples)}
    left = {completions[row["id"]]: row["reason"] for row in aside(chosen, "left_out")}
    assert chosen.rows == len(samples) - len(left) == chosen.metrics["rows"]
    assert chosen.metrics["left_out"] == dict(sorted(Counter(left.values()).items()))
    return left


SOME = [
    trace("easy", "e1 right", {"a": 1.0}, language="en", source="x"),
    trace("easy", "e2 right too", {"a": 1.0}, language="en", source="x"),
    trace("middle", "m1 wrong", {"a": 0.0}, language="zh"),
    trace("middle", "m2 <think>long</think>", {"a": 1.0}, language="en"),
    trace("middle", "<think>thought</think>m3", {"a": 1.0}, language="zh"),
    trace("hard", "h1", {"a": 0.0}, language="zh"),
    trace("hard", "h2 half", {"a": 0.5}, language="en"),
    trace("dark", "d1", {}, language=None),
]
