"""Checkpoints count when they are whole, unchanged and of this very training; code never runs."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import StepFailed, StoppedOnPurpose
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.running.checkpoints import Checkpoints, is_sealed, seal
from potstill.train.running.full_disk import told_in_words
from potstill.train.sft import Sft


def make(folder: Path, step: int, sealed: bool = True) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "model.safetensors").write_bytes(bytes(step))
    (checkpoint / "optimizer.pt").write_bytes(b"state")
    (checkpoint / "training_args.bin").write_bytes(b"a pickle that runs code")
    if sealed:
        (checkpoint / "training_args.bin").unlink()
        seal(checkpoint)
    return checkpoint


def change(checkpoint: Path) -> None:
    (checkpoint / "optimizer.pt").write_bytes(b"other")


def add(checkpoint: Path) -> None:
    (checkpoint / "scaler.pt").write_bytes(b"a pickle from elsewhere")


def lose(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").unlink()


def unseal(checkpoint: Path) -> None:
    (checkpoint / "sealed.json").unlink()


@pytest.mark.parametrize("harm", [change, add, lose, unseal])
def test_a_checkpoint_that_is_not_as_it_was_sealed_is_removed(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder = tmp_path / "checkpoints"
    checkpoints = Checkpoints(folder)
    checkpoints.begin({"inputs": {}})
    good, bad = make(folder, 2), make(folder, 10)
    assert checkpoints.latest() == bad  # by number, not by name
    harm(bad)
    assert checkpoints.latest() == good
    checkpoints.begin({"inputs": {}})
    assert [good] == list(folder.glob("checkpoint-*"))


def test_other_inputs_begin_anew(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.begin({"inputs": {"mixture": "a"}})
    make(checkpoints.folder, 2)
    checkpoints.begin({"inputs": {"mixture": "a"}})
    assert checkpoints.latest() is not None
    checkpoints.begin({"inputs": {"mixture": "b"}})
    assert checkpoints.latest() is None


def test_sealing_removes_code_and_older_ones_but_the_best(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (2, 4, 6):
        make(tmp_path, step, sealed=step != 6)
    checkpoints.seal(6, keep=2)
    assert sorted(folder.name for folder in checkpoints.all()) == ["checkpoint-2", "checkpoint-6"]
    assert not (tmp_path / "checkpoint-6" / "training_args.bin").exists()
    assert is_sealed(tmp_path / "checkpoint-6")


class Bomb:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self._trace),))


def test_a_pickle_that_runs_code_does_not_run_it(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
    tmp_path: Path,
) -> None:
    """Even with hashes that were forged to fit: the optimizer's state is read as data alone."""
    given = context(mixture(toy), students["qwen"])
    stage = sft(checkpoint_every=1)

    def stop_at_two(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["facts"].get("loss") and event["done"] == 2:
            given.stop.requested = True

    given.progress.__init__(stop_at_two)  # type: ignore[misc]
    with pytest.raises(StoppedOnPurpose, match=r"after step [23] of 4, which is a checkpoint"):
        stage.run(given)
    (checkpoint,) = (given.state / "checkpoints").glob("checkpoint-*")
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    assert len([entry for entry in state["log_history"] if "loss" in entry]) in (2, 3)

    trace = tmp_path / "trace"
    (checkpoint / "optimizer.pt").write_bytes(pickle.dumps(Bomb(trace)))
    seal(checkpoint)
    given.stop.requested = False
    given.progress.__init__(None)  # type: ignore[misc]
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        stage.run(given)
    assert not trace.exists()
    pickle.loads(pickle.dumps(Bomb(trace)))
    assert trace.exists()  # it would have


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 4 vs 3"),
        RuntimeError("basic_ios::clear: iostream error"),
        ValueError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_has_many_words(error: Exception) -> None:
    words = "a checkpoint could not be written: no space left"
    with pytest.raises(StepFailed, match=words), told_in_words("a checkpoint"):
        raise error


def test_other_errors_keep_their_own() -> None:
    with pytest.raises(RuntimeError, match="shapes"), told_in_words("a checkpoint"):
        raise RuntimeError("shapes do not fit")
