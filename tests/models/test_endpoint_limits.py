"""Servers that say "too much": rows wait by themselves, limits are found, nobody is lost."""

import time
from collections import Counter

import asking
import pytest
from endpoints import ask, pool, questions, run_until, short_waits
from faulty_server import FaultyServer, serving

from potstill.models import endpoint_patience
from potstill.models.request import Completion, Failure, Outcome
from potstill.pipeline.errors import StoppedOnPurpose


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    short_waits(monkeypatch)


def order(server: FaultyServer) -> list[str]:
    return [what for _, what in server.attempts]


def test_a_refusal_parks_its_row_and_nobody_else() -> None:
    """With one slot, all others are answered while the refused one waits for half a minute."""
    server = FaultyServer(plan=lambda n: ["429_retry_after"] if n == 0 else [], retry_after="30")
    outcomes: list[Outcome] = []
    with serving(server), pool(server, at_once=1) as teacher:
        asked = questions(30)
        for _ in range(100):  # at most 10 s
            while asked and teacher.room > 0:
                teacher.submit(asked.pop())
            outcomes += teacher.poll(0.1)
            if len(outcomes) == 29:
                break
        assert teacher.facts() == {"retries": 1, "waiting": 1}
    assert len(asking.completions(outcomes)) == 29
    assert order(server) == ["429_retry_after"] + ["answered"] * 29


def test_what_is_due_comes_before_what_is_new() -> None:
    server = FaultyServer(plan=lambda n: ["429_retry_after"] if n == 0 else [], latency_s=0.02)
    with serving(server):
        asking.completions(ask(server, questions(60), at_once=1).values())
    again = [name for name, _ in server.attempts].index(server.attempts[0][0], 1)
    assert again < 30


def test_retry_after_is_honoured() -> None:
    """The second attempt of every row comes when it was allowed, not before."""
    seen: dict[str, list[float]] = {}

    class Timed(FaultyServer):
        def _fault(self, name: str) -> str:
            seen.setdefault(name, []).append(time.monotonic())
            return super()._fault(name)

    server = Timed(plan=lambda n: ["429_retry_after"], retry_after="0.3")
    with serving(server):
        asking.completions(ask(server, questions(5)).values())
    assert all(second - first >= 0.29 for first, second in seen.values())


def test_only_so_many_rows_wait() -> None:
    server = FaultyServer(plan=lambda n: ["429_retry_after"] * 99, retry_after="30")
    with serving(server), pool(server, at_once=2) as teacher:
        taken = 0
        for _ in range(40):
            while teacher.room > 0:
                (request,) = questions(1, first=taken)
                teacher.submit(request)
                taken += 1
            teacher.poll(0.01)
        assert 8 <= taken == teacher.facts()["waiting"] <= 9  # 4 for each slot


@pytest.mark.parametrize("wait", ["0.05", None])
def test_a_server_with_room_for_few_is_kept_full_and_nobody_fails(wait: str | None) -> None:
    server = FaultyServer(capacity=4, retry_after=wait, latency_s=0.03)
    with serving(server), pool(server, at_once=64, attempts=3) as teacher:
        asking.completions(asking.ask(teacher, questions(150), 5000))
        assert "limit" in teacher.facts()
    assert server.most_at_once == 4
    assert server.refused < 3 * 150
    assert set(server.paid.values()) == {1}


def test_requests_per_minute_are_kept() -> None:
    server = FaultyServer()
    with serving(server), pool(server, requests_per_minute=1200) as teacher:
        asked, outcomes, began = questions(200), [], time.monotonic()
        while time.monotonic() - began < 1.0:
            while teacher.room > 0:
                teacher.submit(asked.pop())
            outcomes += teacher.poll(0.1)
        seconds = time.monotonic() - began
    assert 10 <= len(server.attempts) <= 20 + 20 * seconds + 1


def test_tokens_per_minute_are_kept() -> None:
    """18 tokens an answer, 1,800 a second: about a hundred a second after what is held."""
    server = FaultyServer()
    with serving(server), pool(server, tokens_per_minute=10_800) as teacher:
        asked, began = questions(800), time.monotonic()
        while time.monotonic() - began < 1.5:
            while teacher.room > 0:
                teacher.submit(asked.pop())
            teacher.poll(0.1)
        seconds = time.monotonic() - began
    tokens = 18 * len(server.attempts)
    assert 900 < tokens < 1800 + 180 * seconds + 16 * 99


def test_a_server_that_asks_for_an_hour_stops_the_run() -> None:
    with (
        serving(FaultyServer(plan=lambda n: ["429_long"] * 9)) as server,
        pytest.raises(StoppedOnPurpose, match=r"asks to wait 3[5-9]\d\d s"),
    ):
        ask(server, questions(5))


def test_an_hour_for_one_row_does_not_hold_up_the_others() -> None:
    server = FaultyServer(plan=lambda n: ["429_long"] if n == 3 else [])
    outcomes: list[Outcome] = []
    with (
        serving(server),
        pool(server) as teacher,
        pytest.raises(StoppedOnPurpose, match="asks to wait"),
    ):
        run_until(teacher, questions(40), outcomes=outcomes)
    assert sum(isinstance(outcome, Completion) for outcome in outcomes) == 39


def test_a_server_that_refuses_everybody_for_long_stops_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint_patience, "PATIENCE_S", 0.3)
    with (
        serving(FaultyServer(plan=lambda n: ["429"] * 10_000)) as server,
        pytest.raises(StoppedOnPurpose, match="refused every request"),
    ):
        ask(server, questions(50), attempts=1000)


def test_a_row_that_is_always_refused_fails_when_it_is_alone() -> None:
    with serving(FaultyServer(plan=lambda n: ["429"] * 10_000 if n == 0 else [])) as server:
        outcomes = ask(server, questions(100), at_once=4, attempts=5)
    (failed,) = (outcome for outcome in outcomes.values() if isinstance(outcome, Failure))
    assert failed.reason == "rate_limited"
    assert len(server.paid) == 99
    assert Counter(order(server))["429"] >= 5
