"""Which of many last words is the cause, and what of the processes' words a user sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.errors import PotstillError, RequestError, StepFailed, StoppedOnPurpose
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.stage import Context
from potstill.train.running.processes import Processes

BEGUN = [{"event": "begun", "rank": 0, "pid": 1 << 22}, {"event": "begun", "rank": 1, "pid": 1}]
LOST = "RuntimeError: Connection closed by peer [127.0.0.1]:29500"


def done(rank: int) -> Event:
    return {"event": "done", "rank": rank}


def gone(rank: int | None) -> Event:
    return {"event": "gone", "rank": rank}


def error(rank: int, kind: str | None, message: str = "words") -> Event:
    return {"event": "error", "rank": rank, "kind": kind, "message": message}


class Script:
    """A line on which everything was already said."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self.asked = 0

    def hear(self, seconds: float) -> Iterator[Event]:
        if self._events:
            yield self._events.pop(0)

    def ask_to_stop(self) -> None:
        self.asked += 1


class Ended:
    """A launcher that has ended."""

    def poll(self) -> int:
        return 1


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def context(tmp_path: Path, told: list[Event]) -> Context:
    return Context(
        step="r/student",
        out=tmp_path,
        inputs={},
        filters={},
        paths={},
        digests={},
        journal=tmp_path,
        progress=Progress(told.append),
    )


ENDS: list[tuple[list[Event], type[PotstillError] | None, str]] = [
    ([done(0), gone(0), done(1), gone(1)], None, ""),
    ([error(0, "stopped"), error(1, "stopped")], StoppedOnPurpose, "words"),
    # Its own words are best, whatever was heard before.
    ([error(1, None, LOST), error(0, "request")], RequestError, "words"),
    ([gone(1), error(0, "failed")], StepFailed, "words"),
    ([error(0, "stopped"), error(1, "failed", "no memory")], StepFailed, "no memory"),
    # The others fail because one was killed.
    ([error(0, None, LOST), gone(1)], StepFailed, "process 1 .* was killed.*LOG"),
    (
        [error(0, None, "KeyError: 'x'"), done(1)],
        StepFailed,
        "process 0 failed: KeyError: 'x'. LOG",
    ),
    ([done(0)], StepFailed, "ended while 1 of 2 processes of the training had not. LOG"),
    ([gone(None), gone(None)], StepFailed, "ended while 2 of 2"),
]


@pytest.mark.parametrize(("events", "kind", "message"), ENDS)
def test_the_cause(
    events: list[Event], kind: type[PotstillError] | None, message: str, context: Context
) -> None:
    processes = Processes(2, context)
    processes.listen(Script([*BEGUN, *events]), Ended())  # type: ignore[arg-type]
    failure = processes.failure("LOG")
    if kind is None:
        assert failure is None
        return
    assert type(failure) is kind
    with pytest.raises(kind, match=message):
        raise failure


def test_what_is_passed_on(context: Context, told: list[Event]) -> None:
    def spent(rank: int, tokens: int) -> dict[str, Any]:
        return {"event": "spent", "rank": rank, "tokens": tokens, "requests": 1, "usd": 0.5}

    step = {"event": "progress", "done": 1, "total": 4, "facts": {"phase": "train", "loss": 2.0}}
    note = {"event": "note", "text": "hello"}
    events = [{**step, "rank": 0}, {**note, "rank": 0}, spent(0, 10), spent(1, 5), spent(0, 20)]
    script = Script([*events, done(0), done(1)])
    Processes(2, context).listen(script, Ended())  # type: ignore[arg-type]
    assert told[:2] == [step, note]
    assert [event["tokens"] for event in told[2:]] == [10, 15, 25]
    assert told[-1]["usd"] == 1.0
    assert not script.asked


def test_a_wish_to_stop_is_passed_on_once(context: Context) -> None:
    context.stop.requested = True
    script = Script([*BEGUN, error(0, "stopped"), error(1, "stopped")])
    Processes(2, context).listen(script, Ended())  # type: ignore[arg-type]
    assert script.asked == 1
