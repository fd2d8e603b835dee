"""Two processes on the CPU (DDP over gloo): the losses of one, through a stop and a kill -9."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import StepFailed, StoppedOnPurpose
from potstill.pipeline.external import External
from potstill.pipeline.process import StepTask, run_in_process
from potstill.pipeline.progress import Event
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft

pytestmark = pytest.mark.slow

STEPS = 80
FIELDS = {"epochs": 20, "learning_rate": 1e-3, "checkpoint_every": 10}


def processes_of(context: Context) -> dict[int, int]:
    """Process ids by rank of the processes that train for a step."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError, PermissionError):
            continue
        ranks = [each.partition(b"=")[2] for each in environment if each.startswith(b"RANK=")]
        if bytes(context.state / "job") in command and ranks:
            found[int(ranks[0])] = int(folder.name)
    return found


def curve(context: Context) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (context.out / "log" / "steps.jsonl").open()]


def test_the_losses_of_one_through_a_stop_and_a_kill(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> None:
    data = mixture(toy)
    alone = context(data, students["qwen"], "alone")
    one = sft(**FIELDS).run(alone)
    assert one["numerics"]["processes"] == 1

    events: list[Event] = []
    together = context(data, students["qwen"], "together")

    def begin(hear: Callable[[int], None], processes: int = 2) -> dict[str, Any]:
        def listen(event: Event) -> None:
            events.append(event)
            if event.get("facts", {}).get("phase") == "train":
                hear(event["done"])

        together.progress.__init__(listen)  # type: ignore[misc]
        return sft(processes=processes, micro_batch=2, **FIELDS).run(together)

    def stop(step: int) -> None:
        together.stop.requested = True

    with pytest.raises(
        StoppedOnPurpose, match=rf"after step \d+ of {STEPS}, which is a checkpoint"
    ):
        begin(stop)
    stopped_at = events[-1]["done"]
    assert stopped_at < STEPS
    assert not processes_of(together)

    def kill(step: int) -> None:
        if step >= stopped_at + 12 and 1 in (ids := processes_of(together)):
            os.kill(ids[1], signal.SIGKILL)

    together.stop.requested = False
    with pytest.raises(StepFailed, match="process 1 of the training was killed"):
        begin(kill)
    assert not processes_of(together)

    with pytest.raises(StoppedOnPurpose):  # for some steps in one process
        begin(stop, processes=1)
    together.stop.requested = False
    two = begin(lambda step: None)
    assert two["numerics"]["processes"] == 2
    notes = [event["text"] for event in events if event["event"] == "note"]
    assert notes[0] == f"going on from the checkpoint of step {stopped_at}"
    assert len(notes) == 3
    for a, b in zip(curve(alone), curve(together), strict=True):
        assert a["step"] == b["step"]
        assert a["num_tokens"] == b["num_tokens"]
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)


def test_an_error_keeps_its_own_words(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> None:
    """And rows that cannot be shared out evenly are told."""
    notes: list[Event] = []
    given = context(mixture(toy[:29]), students["qwen"], events=notes)
    with pytest.raises(StepFailed, match=r"loss became (nan|inf) at step \d+ of 8"):
        sft(processes=2, epochs=2, learning_rate=1e30, warmup_share=0, max_grad_norm=1e30).run(
            given
        )
    told = [event["text"] for event in notes if event["event"] == "note"]
    assert told == [
        "3 rows are trained twice in each epoch, in its last step: 29 rows cannot be shared out "
        "evenly among 2 processes"
    ]


def test_nothing_outlives_the_step(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
    tmp_path: Path,
) -> None:
    """As under a runner: the step's process is killed, and nobody is there to end the others."""
    given = context(mixture(toy), students["qwen"])
    task = StepTask(
        step=given.step,
        stage=sft(processes=2, epochs=10_000),
        out=given.out,
        inputs=given.inputs,
        filters={},
        externals={"./student": External("./student", "0", students["qwen"])},
        journal=given.journal,
        log=tmp_path / "student.log",
        workers=2,
        limit=None,
        siblings=(),
    )
    step: list[int] = []
    found: dict[int, int] = {}

    def hear(event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and not found:
            found.update(processes_of(given))
            os.kill(step[0], signal.SIGKILL)

    with pytest.raises(StepFailed):
        run_in_process(task, hear, step.append)
    assert sorted(found) == [0, 1]
    while processes_of(given):
        time.sleep(0.05)
