"""Caps of the budget and the wish to stop: nothing is asked beyond, nothing paid for is lost."""

import random
import time
from pathlib import Path

import pytest
from buying_runs import order, rows, run
from scripted_teacher import ScriptedTeacher, scripted

from potstill.models.request import Completion, Request
from potstill.models.teacher import Price
from potstill.pipeline.budget import Budget, Spent
from potstill.pipeline.errors import StoppedOnPurpose
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.stopping import StopSignal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.mark.parametrize(
    ("budget", "cap", "bought"),
    [
        (Budget(requests=3), "--max-requests 3", 3),
        (Budget(tokens=45), "--max-tokens 45", 3),
        (Budget(tokens=46), "--max-tokens 46", 4),  # one answer more is needed to reach it
        (Budget(usd=0.00004), "--max-usd 4e-05", 4),
        (Budget(deadline=0.0), "--max-hours", 0),
    ],
)
def test_a_cap_stops_cleanly_and_the_next_run_goes_on(
    path: Path, budget: Budget, cap: str, bought: int
) -> None:
    wanted = order("abcdefgh")
    price = Price(output=1.0)
    with pytest.raises(StoppedOnPurpose, match=cap) as caught:
        run(wanted, path, budget=budget, price=price)
    assert "the same command" in str(caught.value)
    assert sum(text is not None for _, _, text in rows(wanted, path)) == bought
    found, teacher = run(wanted, path)
    assert all(text for _, _, text in found)
    assert len(teacher.asked) == 16 - bought


class SlowlyAsked(ScriptedTeacher):
    """Whoever asks for its room waits until the disk has everything: nothing is outstanding."""

    @property
    def room(self) -> int:
        time.sleep(0.02)
        return super().room


@pytest.mark.parametrize("budget", [Budget(requests=5), Budget(tokens=75)])
def test_no_cap_is_passed_where_the_disk_is_ahead_of_the_count(path: Path, budget: Budget) -> None:
    with pytest.raises(StoppedOnPurpose, match="5 requests of this run"):
        run(order("abcdefgh"), path, SlowlyAsked(), budget=budget)


def test_a_cap_that_is_not_passed_stops_nothing(path: Path) -> None:
    found, _ = run(order("ab"), path, budget=Budget(requests=4, tokens=60))
    assert all(text for _, _, text in found)


def test_a_wish_to_stop_lets_what_is_in_flight_come_home(path: Path) -> None:
    stop = StopSignal()

    def at_the_third(request: Request) -> str | None:
        nonlocal answered
        answered += 1
        if answered == 3:
            stop.request()
        return None

    answered = 0
    teacher = ScriptedTeacher(at_the_third, capacity=4)
    wanted = order("abcdefgh")
    with pytest.raises(StoppedOnPurpose, match=r"^stopped: \d requests"):
        run(wanted, path, teacher, stop=stop)
    assert teacher.drained
    bought = sum(text is not None for _, _, text in rows(wanted, path))
    assert bought == len(teacher.asked) == answered
    assert bought <= 3 + 4


def test_what_a_teacher_gives_back_is_asked_by_the_next_run(path: Path) -> None:
    stop = StopSignal()

    def give_back(request: Request) -> str | None:
        if not stop.requested:
            stop.request()
            return None
        return "abandon"

    wanted = order("abcd")
    teacher = ScriptedTeacher(give_back, capacity=3)
    with pytest.raises(StoppedOnPurpose):
        run(wanted, path, teacher, stop=stop)
    found, second = run(wanted, path)
    assert len(second.asked) == 7
    assert all(text for _, _, text in found)


def test_a_second_wish_stops_at_once(path: Path) -> None:
    stop = StopSignal()

    def twice(request: Request) -> str | None:
        stop.request()
        return None

    with pytest.raises(KeyboardInterrupt):
        run(order("abcdefgh"), path, ScriptedTeacher(twice), stop=stop)


def test_a_budget_of_many_lengths_is_kept(path: Path) -> None:
    """Answers differ in length; a cap is passed by less than what was in flight."""
    rng = random.Random(1)

    def answer(request: Request) -> Completion:
        return scripted(request, tokens=rng.randrange(1, 100))

    wanted = order(map(str, range(300)))
    teacher = ScriptedTeacher(capacity=16, answer=answer)
    events: list[Event] = []
    with pytest.raises(StoppedOnPurpose):
        run(wanted, path, teacher, budget=Budget(tokens=5000), progress=Progress(events.append))
    spent = [event["tokens"] for event in events if event["event"] == "spent"][-1]
    assert 5000 <= spent <= 5000 + 105


def test_spending_of_earlier_tiers_is_told(path: Path) -> None:
    events: list[Event] = []
    run(order("a"), path, progress=Progress(events.append), before=Spent(100, 10, 1.0))
    spent = [event for event in events if event["event"] == "spent"][-1]
    assert (spent["tokens"], spent["requests"], spent["usd"]) == (130, 12, 1.0)


def test_what_a_teacher_discarded_before_is_not_counted_again(path: Path) -> None:
    teacher = ScriptedTeacher()
    teacher.discarded = 7
    events: list[Event] = []
    run(order("ab"), path, teacher, progress=Progress(events.append))
    assert events[-1]["requests"] == 4


def test_the_answers_that_were_discarded_meanwhile_are(path: Path) -> None:
    def answer(request: Request) -> Completion:
        teacher.discarded += 1
        return Completion(request.key, "x", "stop", 5, 10, "t", "{}")

    teacher = ScriptedTeacher(answer=answer)
    teacher.discarded = 7
    events: list[Event] = []
    run(order("ab"), path, teacher, progress=Progress(events.append))
    assert events[-1]["requests"] == 8
