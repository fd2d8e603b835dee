"""What the policy wrote, as an artifact: rows, verdicts, `inspect` and `why`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
from toys import InProcess

from potstill.pipeline.artifact import open_artifact, write_manifest
from potstill.pipeline.locate import all_latest, find_path
from potstill.pipeline.sample import Sample
from potstill.pipeline.shards import shard_files
from potstill.pipeline.verdict import Verdict
from potstill.train.grouped.rollouts import Batch, Group, Rollout
from potstill.train.grouped.saved_samples import SampleKeeper
from potstill.train.rewards import Judged
from potstill.views.inspect import inspect
from potstill.views.why import why


class Long(InProcess):
    """Good if the completion is long; cannot say it of some."""

    kind: ClassVar[str] = "long"
    reasons: ClassVar[frozenset[str]] = frozenset({"long", "short", "odd"})

    def judge_one(self, sample: Sample) -> Verdict:
        size = len(sample.completion or "")
        if size % 5 == 0:
            return Verdict(None, "odd", {"size": size})
        return Verdict(min(size / 100, 1.0), "long", {"size": size})


FIELDS: dict[str, Any] = {
    "rewards": {
        "one": {"weight": 1, "required": False},
        "long": {"weight": 2, "tasks": ["general"]},
    },
    "dynamic_sampling": {"max_rounds": 1},
    "max_steps": 2,
}


@pytest.fixture
def trained(
    train: Callable[..., Any], toy: Sequence[Sample], says_one: InProcess, tmp_path: Path
) -> Any:
    """A finished step as the runner leaves it; every third problem is of another task."""
    samples = [
        replace(sample, task="sum" if number % 3 == 0 else "general")
        for number, sample in enumerate(toy)
    ]
    (tmp_path / "work" / "r").mkdir(parents=True)
    found = train("work/r/rl-0badcafe", samples, {"one": says_one, "long": Long()}, **FIELDS)
    body = {
        "step": "rl",
        "identity": {"kind": "grpo", "inputs": {}},
        "address": "0badcafe",
        "rows": None,
        "metrics": found.metrics,
        "inputs": {},
    }
    write_manifest(found.out, body, {})
    return found


def test_every_completion_is_there_with_its_verdicts(trained: Any) -> None:
    folder = trained.out / "samples"
    artifact = open_artifact(folder)
    assert artifact is not None
    rows = artifact.table().to_pylist()
    groups = trained.metrics["groups"]
    assert groups["teaching"] + groups["zero_variance"] + groups["unknown"] == 2 * 4
    assert len(rows) == artifact.rows == trained.metrics["samples"]
    assert len(rows) == 4 * (8 + groups["replaced"])
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["step"] for row in rows} == {0, 1}
    assert {row["generation"]["teacher"] for row in rows} == {"policy"}
    for name in ("one", "long"):
        assert artifact.verdict_table(name)["id"].to_pylist() == [row["id"] for row in rows]
    verdicts = {name: artifact.verdict_table(name).to_pylist() for name in ("one", "long")}
    for row, one, long in zip(rows, verdicts["one"], verdicts["long"], strict=True):
        if row["task"] == "sum":  # a part for other tasks is no part of its reward
            assert (long["score"], long["reason"]) == (None, "not_asked")
            assert row["reward"] == one["score"]
        elif long["score"] is None:  # required
            assert row["reward"] is None
        else:
            assert row["reward"] == pytest.approx(one["score"] + 2 * long["score"])
        assert row["advantage"] is None if row["reward"] is None else True
    trained_rows = [row for row in rows if row["advantage"] is not None]
    assert any(row["advantage"] > 0 for row in trained_rows)
    # The parent holds no samples of its own: nobody takes the model for a dataset.
    assert not shard_files(trained.out)


def test_inspect_and_why_open_them(trained: Any) -> None:
    work = trained.out.parent.parent
    for name in ("r/rl/samples", str(trained.out / "samples")):
        assert find_path(work, name) == trained.out / "samples"
    found = inspect(find_path(work, "r/rl/samples"), where="one_score = 1 and step >= 0", sample=2)
    assert found.about["step"] == "rl/samples"
    assert found.matched is not None
    assert found.matched > 0
    assert found.samples is not None
    sample = found.samples[0]
    assert sample["verdicts"]["one"]["reason"] == "said"
    assert sample["row"]["step"] in (0, 1)
    assert set(found.verdicts) == {"one", "long"}

    life = why(all_latest(work), sample["row"]["id"])
    assert (life.what, life.row["completion"]) == ("sample", sample["row"]["completion"])
    told = [(event["step"], event["what"], event.get("filter")) for event in life.events]
    assert told == [
        ("r/rl/samples", "holds", None),
        ("r/rl/samples", "verdict", "long"),
        ("r/rl/samples", "verdict", "one"),
    ]


@pytest.mark.parametrize(("most", "per_process"), [(None, (2, 2)), (3, (2, 1)), (0, (0, 0))])
def test_as_many_as_wished_of_each_generation(
    tmp_path: Path, rollout: Any, most: int | None, per_process: tuple[int, int]
) -> None:
    keeper = SampleKeeper(tmp_path / "samples", most)
    batch = Batch([Group((rollout, rollout))], [], [], 0)
    for process in (0, 1):
        keeper.keep(5, (process, 2), batch, [0.5, -0.5])
    kept = {file.name: pq.read_metadata(file).num_rows for file in keeper.folder.glob("*")}
    names = ("00000005-000.parquet", "00000005-001.parquet")
    assert kept == {name: rows for name, rows in zip(names, per_process, strict=True) if rows}


def test_what_is_written_again_is_forgotten_first(tmp_path: Path, rollout: Any) -> None:
    """Also what another number of processes wrote."""
    keeper = SampleKeeper(tmp_path / "samples", None)
    batch = Batch([Group((rollout, rollout))], [], [], 0)
    for step in (0, 4, 8):
        for process in (0, 1):
            keeper.keep(step, (process, 2), batch, [0.5, -0.5])
    keeper.begin(4)
    assert sorted(file.name for file in keeper.folder.glob("*")) == [
        "00000000-000.parquet",
        "00000000-001.parquet",
    ]


@pytest.fixture
def rollout(toy: Sequence[Sample]) -> Rollout:
    return Rollout({}, [1], None, toy[0], Judged(1.0, {"one": Verdict(1.0, "said")}))


def test_without_samples_there_is_no_folder(train: Callable[..., Any]) -> None:
    found = train(save_samples=0, max_steps=1)
    assert found.metrics["samples"] == 0
    assert not (found.out / "samples").exists()
