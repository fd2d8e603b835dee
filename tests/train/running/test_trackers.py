"""Trackers: the loss reaches them, their files stay out of the artifact, absent ones are named."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.running import trackers
from potstill.train.sft import Sft


@pytest.mark.skipif(
    not any(map(find_spec, ("tensorboard", "tensorboardX"))), reason="tensorboard is not installed"
)
def test_tensorboard_gets_the_loss(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Recorded, so that what the step sets is taken back after the test.
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR")
    given = context(mixture(toy), students["qwen"])
    sft(trackers=["tensorboard"]).run(given)
    (events,) = (tmp_path / "logs" / "tensorboard" / "out").rglob("events.out.*")
    assert events.read_bytes().count(b"train/loss") == 4  # one a step
    assert not list(given.out.rglob("events*"))


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "trackio"])
def test_an_absent_tracker_is_named(
    name: str,
    context: Callable[..., Context],
    mixture: Callable[..., Artifact],
    toy: list[Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda module: None)
    with pytest.raises(RequestError, match=f"{name} is not installed.*pip install {name}"):
        trackers.prepare_trackers([name], context(mixture(toy[:1]), tmp_path))
