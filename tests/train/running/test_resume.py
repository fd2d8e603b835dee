"""A killed training goes on to the same loss curve and the same weights, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.sample import Sample

pytestmark = pytest.mark.slow

FIELDS = {"data": "mixture", "model": "./student", "epochs": 3, "batch_size": 8}
LORA = {"r": 4, "dropout": 0.3}
"""Dropout draws at random: the state of the generators must come back too."""


class Warm:
    """The process of train_child.py."""

    def __init__(self, *within: str) -> None:
        self._process = subprocess.Popen(
            [*within, sys.executable, str(Path(__file__).with_name("train_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._hear()

    def train(self, kill_step: int | None = None, fail: str = "", **order: Any) -> int:
        """Exit code of a training; -9: killed."""
        assert self._process.stdin is not None
        line = json.dumps({"kill_step": kill_step, "fail": fail, **order})
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return int(self._hear()["code"])

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                heard: dict[str, Any] = json.loads(line)
                if "loss" not in heard:
                    return heard
        raise AssertionError(self._process.stderr and self._process.stderr.read()[-3000:])

    def close(self) -> str:
        """End it; returns what it complained about."""
        return str(self._process.communicate()[1])


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture
def order(
    tmp_path: Path,
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
) -> Callable[..., dict[str, Any]]:
    data = mixture(toy)

    def build(name: str, **fields: Any) -> dict[str, Any]:
        return {
            "out": str(tmp_path / "r" / name),
            "data": str(data.path),
            "student": str(students["qwen"]),
            "fields": {**FIELDS, "learning_rate": 3e-3, "checkpoint_every": 2, **fields},
        }

    return build


def result(order: dict[str, Any]) -> tuple[str, bytes]:
    """Loss curve and weights of a finished training, and no checkpoint that hides an error."""
    out = Path(order["out"])
    curve = (out / "log" / "steps.jsonl").read_text()
    assert [json.loads(line)["step"] for line in curve.splitlines()] == list(range(1, 13))
    return curve, (out / "model.safetensors").read_bytes()


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_killed_at_any_step(
    warm: Warm, order: Callable[..., dict[str, Any]], lora: dict[str, Any] | None
) -> None:
    whole, killed = order("whole", lora=lora), order("killed", lora=lora)
    assert warm.train(**whole) == 0
    for step in (1, 5, 6, 11, 12):
        assert warm.train(kill_step=step, **killed) == -9
    assert warm.train(**killed) == 0
    assert result(killed) == result(whole)


def test_killed_or_out_of_disk_while_a_checkpoint_is_written(
    warm: Warm, order: Callable[..., dict[str, Any]]
) -> None:
    whole, broken = order("whole"), order("broken")
    assert warm.train(**whole) == 0
    for fail in (
        "file.write.before:4:kill",
        "file.write.before:3:enospc",
        "file.fsync.before:3:enospc",
        "file.rename.before:3:kill",
        "file.rename.after:3:kill",
    ):
        assert warm.train(fail=fail, **broken) == (1 if "enospc" in fail else -9), fail
    assert warm.train(**broken) == 0
    assert result(broken) == result(whole)


SMALL_DISK = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=8m none "$0" && exec "$@"']
CHECKPOINT = 1_250_000
"""Bytes of one, about."""


def can_mount(folder: Path) -> bool:
    """Whether this user may have a disk of its own (root may)."""
    try:
        return not subprocess.run(
            [*SMALL_DISK, str(folder), "true"], capture_output=True
        ).returncode
    except FileNotFoundError:
        return False


def test_a_disk_that_is_really_full(
    warm: Warm, order: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """At several places of a checkpoint; the last good one is there and the training goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("a small disk cannot be mounted here (needs root)")
    whole = order("whole")
    assert warm.train(**whole) == 0
    there = Warm(*SMALL_DISK, str(disk))
    small = {**whole, "out": str(disk / "r" / "student")}
    fulls = [0.2, 0.6, 1.2, 1.5, 1.7]
    for checkpoints in fulls:
        ballast = 8_388_608 - int(checkpoints * CHECKPOINT) - 60_000
        assert there.train(ballast=[str(disk / "ballast"), ballast], **small) == 1
    assert there.train(ballast=[str(disk / "ballast"), 0], **small) == 0
    assert there.train(copy=str(tmp_path / "r" / "copied"), **small) == 0
    assert result({"out": str(tmp_path / "r" / "copied")}) == result(whole)
    told = there.close()
    assert told.count("StepFailed") == len(fulls)
    assert told.count("could not be written: no space left on device") == len(fulls)
