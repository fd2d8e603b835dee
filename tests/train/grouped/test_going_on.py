"""A training that ends in the middle goes on to the same log, weights and samples."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Sample
from potstill.pipeline.shards import read_table, shard_files
from potstill.pipeline.stage import Context
from potstill.train.grpo import Grpo


class Killed(Exception):
    """In place of kill -9: nothing of the training runs after it."""


def until(step: int, given: Context) -> Context:
    def hear(event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and event["done"] == step:
            raise Killed

    return replace(given, progress=Progress(hear))


def found(out: Path) -> tuple[str, bytes, dict[str, bytes]]:
    shards = sorted((out / "samples").rglob("*.parquet"))
    return (
        (out / "log" / "steps.jsonl").read_text(),
        (out / "model.safetensors").read_bytes(),
        {str(file.relative_to(out)): file.read_bytes() for file in shards},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"dynamic_sampling": {"max_rounds": 2}},
        # Checkpoints in the middle of a generation, whose completions are still to be trained on.
        {"updates_per_generation": 2, "num_iterations": 2, "micro_batch": 8},
    ],
    ids=["dynamic", "buffered"],
)
def test_goes_on_as_if_nothing_had_happened(
    grpo: Callable[..., Grpo],
    asked: Callable[..., Context],
    toy: Sequence[Sample],
    fields: dict[str, Any],
) -> None:
    """Three epochs of three steps, killed in the second and in the third."""
    problems = list(toy)[:10]
    stage = grpo(max_steps=9, checkpoint_every=1, learning_rate=1e-3, **fields)
    whole, broken = asked("whole-00000000", problems), asked("broken-00000000", problems)
    stage.run(whole)
    for step in (2, 5, 8):
        with pytest.raises(Killed):
            stage.run(until(step, broken))
        shutil.rmtree(broken.out)  # as the runner does before it starts a step again
        broken.out.mkdir()
    stage.run(broken)
    expected, got = found(whole.out), found(broken.out)
    assert got[0] == expected[0]
    assert got[1] == expected[1]
    assert got[2] == expected[2]
    ids = read_table(shard_files(whole.out / "samples"), ["id"])["id"].to_pylist()
    assert len(set(ids)) == len(ids) > 0
