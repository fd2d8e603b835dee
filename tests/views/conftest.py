"""A small finished run: load → generate → judge → select → mix → sft, with hostile text in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from screens import HOSTILE
from toys import InProcess
from workbench import verdict_table

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.sample import (
    SAMPLE_SCHEMA,
    Generation,
    Message,
    Sample,
    new_sample,
    with_ids,
)
from potstill.pipeline.shards import shard_files, write_rows, write_samples
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.verdicts import (
    read_verdict_sets,
    samples_digest,
    take_over,
    write_verdicts,
)

NUM_PROBLEMS, PER_PROBLEM = 6, 3

QUARANTINE = pa.schema([("row", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
LEFT_OUT = pa.schema([("id", pa.string()), ("reason", pa.string())])
FAILED = pa.schema([("prompt_id", pa.string()), ("index", pa.int64()), ("reason", pa.string())])


class Named(InProcess):
    """Stands for the filter whose verdicts are given."""

    kind: ClassVar[str] = "named"
    reasons: ClassVar[frozenset[str]] = frozenset({"correct", "wrong", "ok", "unclear"})

    name: str

    def judge_one(self, sample: Sample) -> Verdict:
        raise NotImplementedError


def by_math(sample: Sample) -> Verdict:
    """The middle sample of each problem is wrong."""
    assert sample.generation is not None
    good = sample.generation.index != 1
    return Verdict(float(good), "correct" if good else "wrong", {"extracted": HOSTILE})


def by_loops(sample: Sample) -> Verdict:
    """Nothing can be said of the first sample of each problem."""
    assert sample.generation is not None
    first = sample.generation.index == 0
    return Verdict(None, "unclear") if first else Verdict(0.5, "ok")


@dataclass
class SmallRun:
    """The artifacts in graph order, and what is in them."""

    folder: Path
    artifacts: list[Artifact]
    problems: list[Sample]
    traces: list[Sample]

    def __getitem__(self, step: str) -> Artifact:
        return next(artifact for artifact in self.artifacts if artifact.step == step)


def publish(
    folder: Path, step: str, kind: str, inputs: Iterable[Artifact], metrics: dict[str, Any]
) -> Artifact:
    """Write the manifest of a step whose files lie in `<folder>/<step>-00000001`."""
    path = folder / f"{step}-00000001"
    shards = shard_files(path)
    body = {
        "step": step,
        "address": "00000001",
        "identity": {"kind": kind, "inputs": {made.step: made.address for made in inputs}},
        "inputs": {made.step: made.digest for made in inputs},
        "rows": sum(pq.read_metadata(shard).num_rows for shard in shards) if shards else None,
        "metrics": metrics,
    }
    write_manifest(path, body, {})
    artifact = open_artifact(path)
    assert artifact is not None
    return artifact


def make_problems() -> list[Sample]:
    made = []
    for number in range(NUM_PROBLEMS):
        zh = number % 2 == 1
        question = f"小明有 {number} 个苹果，一共有多少个？" if zh else f"How many is {number}?"
        made.append(
            new_sample(
                (Message("user", question),),
                answer=str(number),
                task="math",
                language="zh" if zh else "en",
            )
        )
    return list(with_ids(made))


def make_traces(problems: list[Sample]) -> list[Sample]:
    made = []
    for problem in problems:
        for index in range(PER_PROBLEM):
            generation = Generation("teacher", "1", problem.id, index, 1, "stop", 9, 30 + index)
            text = f"<think>\n算 {HOSTILE}\n</think>\nThe answer is {problem.answer}."
            made.append(replace(problem, completion=text, generation=generation))
    return list(with_ids(made))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Read-only: tests that damage something copy it first."""
    folder = tmp_path_factory.mktemp("work") / "quickstart"
    problems = make_problems()
    load = folder / "problems-00000001"
    write_samples(load, problems)
    bad = [{"row": 3, "reason": "no_json", "text": HOSTILE}]
    write_rows(load / "quarantine", bad, QUARANTINE)
    loaded = publish(folder, "problems", "load", [], {"rows": NUM_PROBLEMS})

    traces = make_traces(problems)
    out = folder / "traces-00000001"
    write_samples(out, traces)
    failed = [{"prompt_id": problems[0].prompt_id, "index": 3, "reason": "http_500"}]
    write_rows(out / "failed", failed, FAILED)
    digest = samples_digest(out)
    pairs = [(sample.id, by_math(sample)) for sample in traces]
    write_verdicts(out, "math", Named(name="math").identity(), digest, [verdict_table(pairs)])
    generated = publish(folder, "traces", "generate", [loaded], {"attempts": 19, HOSTILE: None})

    out = folder / "verdicts-00000001"
    take_over(read_verdict_sets(generated.path)["math"], out, "math")
    pairs = [(sample.id, by_loops(sample)) for sample in traces]
    write_verdicts(out, "loops", Named(name="loops").identity(), digest, [verdict_table(pairs)])
    judged = publish(folder, "verdicts", "judge", [generated], {"rows": len(traces)})

    out = folder / "reasoning-00000001"
    kept = [sample for sample in traces if by_math(sample).score == 1]
    write_samples(out, kept)
    left = [{"id": s.id, "reason": "math"} for s in traces if by_math(s).score == 0]
    write_rows(out / "left_out", left, LEFT_OUT)
    selected = publish(folder, "reasoning", "select", [generated, judged], {"out": len(kept)})

    out = folder / "mixture-00000001"
    schema = SAMPLE_SCHEMA.append(pa.field("copy", pa.int64()))
    write_rows(out, ({**s.to_row(), "copy": copy} for copy in (0, 1) for s in kept), schema)
    mixed = publish(folder, "mixture", "mix", [selected], {})

    out = folder / "qwen-00000001"
    out.mkdir()
    (out / "model.safetensors").write_bytes(b"\0" * 2048)
    trained = publish(folder, "qwen", "sft", [mixed], {"loss": 0.5})
    made = [loaded, generated, judged, selected, mixed, trained]
    return SmallRun(folder, made, problems, traces)
