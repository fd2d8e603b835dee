"""Servers that go away and come back, one of several that dies, and what is asked at the start."""

import asyncio
import time
from typing import Any

import asking
import pytest
from endpoints import CANARY, ask, pool, questions, run_until, short_waits
from faulty_server import FaultyServer, serving, switchable

from potstill.models import endpoint_health, endpoint_patience
from potstill.models.endpoint_teacher import open_endpoints
from potstill.models.request import Completion, Failure, Outcome
from potstill.models.teacher import EndpointTeacher
from potstill.pipeline.errors import RequestError, StepFailed, StoppedOnPurpose


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    short_waits(monkeypatch)


def test_a_server_that_restarts_loses_nothing_and_is_not_stormed() -> None:
    notes: list[str] = []
    server = FaultyServer(latency_s=0.01)
    with switchable(server) as switch, pool(server, attempts=4, note=notes.append) as teacher:
        asked = questions(300)
        outcomes = run_until(teacher, asked, lambda got: len(got) >= 100)
        switch.off()
        began = time.monotonic()
        outcomes += run_until(teacher, asked, lambda _: time.monotonic() - began > 0.8)
        assert teacher.facts()["away"] == server.url.removeprefix("http://")
        assert teacher.room == 0
        switch.on()
        outcomes += run_until(teacher, asked, lambda got: len(outcomes) + len(got) >= 300)
        assert "away" not in teacher.facts()
        assert teacher.facts()["retries"] < 80  # some for each in flight, not for each second
    assert all(isinstance(outcome, Completion) for outcome in outcomes)
    assert len(server.paid) == 300
    assert [note.split(" ", 1)[1][:7] for note in notes] == ["is away", "answers"]


def test_a_server_that_stays_away_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_patience, "PATIENCE_S", 0.3)
    server = FaultyServer()
    with switchable(server) as switch, pool(server) as teacher:
        asked = questions(500)
        run_until(teacher, asked, lambda got: len(got) >= 20)
        switch.off()
        with pytest.raises(StoppedOnPurpose, match="did not answer for"):
            run_until(teacher, asked)


def test_a_server_that_only_fails_is_asked_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It lists its models and answers 500 to everything else: the breaker tries single rows."""
    monkeypatch.setattr(endpoint_patience, "PATIENCE_S", 0.5)
    server = FaultyServer(plan=lambda n: ["500"] * 99, served=["r1"])
    with serving(server), pytest.raises(StoppedOnPurpose, match="did not answer for"):
        ask(server, questions(500))
    assert len(server.attempts) < 16 * 5 + 40


def test_failing_rows_at_the_end_fail_alone_and_the_run_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint_patience, "PATIENCE_S", 5.0)
    server = FaultyServer(plan=lambda n: ["500"] * 99 if n >= 92 else [])
    with serving(server):
        outcomes = ask(server, questions(100), attempts=12)
    assert sum(isinstance(outcome, Failure) for outcome in outcomes.values()) == 8
    assert len(server.paid) == 92


def test_two_servers_share_the_work_by_what_they_can_bear() -> None:
    small, large = FaultyServer(latency_s=0.02), FaultyServer(latency_s=0.02)
    with serving(small), serving(large):
        teacher = EndpointTeacher(
            model="r1",
            endpoints=[
                {"base_url": small.url, "concurrency": 4},
                {"base_url": large.url, "concurrency": 12},
            ],
        )
        with open_endpoints(teacher, {}, None, lambda text: None) as opened:
            asking.completions(asking.ask(opened, questions(320)))
    assert small.most_at_once == 4
    assert large.most_at_once == 12
    assert 2 * len(small.attempts) < len(large.attempts) < 5 * len(small.attempts)


def test_what_one_server_fails_another_answers() -> None:
    ill, well = FaultyServer(plan=lambda n: ["500"] * 99, served=["r1"]), FaultyServer()
    with serving(ill), serving(well), pool(ill, well, attempts=4) as teacher:
        asking.completions(asking.ask(teacher, questions(100)))
    assert len(well.paid) == 100
    assert len(ill.attempts) < 60


def test_one_of_two_servers_dies_and_nothing_is_lost() -> None:
    dying, well = FaultyServer(latency_s=0.01), FaultyServer(latency_s=0.01)
    with switchable(dying) as switch, serving(well), pool(dying, well) as teacher:
        asked = questions(400)
        outcomes = run_until(teacher, asked, lambda got: len(got) >= 100)
        switch.off()
        outcomes += run_until(teacher, asked, lambda got: len(outcomes) + len(got) >= 400)
    assert all(isinstance(outcome, Completion) for outcome in outcomes)
    assert len({outcome.key for outcome in outcomes}) == 400


def test_a_long_pause_of_one_server_leaves_the_other_at_work() -> None:
    tired = FaultyServer(plan=lambda n: ["429_long"] * 99)
    well = FaultyServer(latency_s=0.005)
    with serving(tired), serving(well), pool(tired, well) as teacher:
        asking.completions(asking.ask(teacher, questions(200)))
    assert len(well.paid) == 200
    assert len(tired.attempts) < 64  # no row asks it again before its hour


class Renamed(FaultyServer):
    """Another model from the tenth answer on."""

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        return super().answer(body, name) | {"model": "r1" if len(self.attempts) < 10 else "r2"}


def test_a_model_that_changes_fails_the_step() -> None:
    outcomes: list[Outcome] = []
    with (
        serving(Renamed()) as server,
        pool(server, at_once=1) as teacher,
        pytest.raises(StepFailed, match="'r2'; until now it was 'r1'"),
    ):
        run_until(teacher, questions(30), outcomes=outcomes)
    assert {outcome.model for outcome in outcomes if isinstance(outcome, Completion)} == {"r1"}


def test_an_echoed_template_fails_the_step() -> None:
    class Echo(FaultyServer):
        def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
            good = super().answer(body, name)
            good["choices"][0]["message"]["content"] = "<|im_start|>user\n2 + 2?<|im_end|>"
            return good

    with (
        serving(Echo()) as server,
        pytest.raises(StepFailed, match="sends its chat template back"),
    ):
        ask(server, questions(3))


@pytest.mark.parametrize("listed", [["r1"], ["org/r1"], ["r1:latest"], ["a", "*"], [], None])
def test_a_server_that_may_serve_the_model_is_asked(listed: list[str] | None) -> None:
    with serving(FaultyServer(served=listed)) as server:
        asking.completions(ask(server, questions(2)).values())
    assert server.looked == 1


@pytest.mark.parametrize("fault", ["html", "405", "404", "501"])
def test_a_server_without_a_list_is_asked(fault: str) -> None:
    with serving(FaultyServer(models_fault=fault)) as server:
        asking.completions(ask(server, questions(2)).values())


def test_a_model_that_is_not_served_is_an_error_before_anything_is_sent() -> None:
    with (
        serving(FaultyServer(served=["r1b", "gpt"])) as server,
        pytest.raises(RequestError, match="does not serve 'r1'; did you mean 'r1b'"),
    ):
        ask(server, questions(2))
    assert server.attempts == []


@pytest.mark.parametrize(
    ("key", "told"),
    [(True, "refused the key in POTSTILL_TEST_KEY"), (False, "wants a key and none was sent")],
)
def test_a_key_that_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, key: bool, told: str
) -> None:
    monkeypatch.setenv("POTSTILL_TEST_KEY", CANARY)
    more = {"api_key_env": "POTSTILL_TEST_KEY"} if key else {}
    with (
        serving(FaultyServer(models_fault="401")) as server,
        pytest.raises(RequestError, match=told) as caught,
    ):
        ask(server, questions(2), **more)
    assert CANARY not in str(caught.value)


def nobody() -> FaultyServer:
    """A place where nothing listens."""
    with serving(FaultyServer()) as server:
        return server


def test_nobody_listens() -> None:
    server = nobody()
    with pytest.raises(StepFailed, match=rf"no server answers: {server.url}/v1 \(ClientConnector"):
        ask(server, questions(1))


@pytest.mark.parametrize("fault", ["500", "503"])
def test_a_server_that_is_ill_at_the_start(fault: str) -> None:
    with (
        serving(FaultyServer(models_fault=fault)) as server,
        pytest.raises(StepFailed, match=f"HTTP {fault}"),
    ):
        ask(server, questions(1))


@pytest.mark.parametrize("fault", ["reset", "hang"])
def test_a_server_that_only_has_no_list_is_used(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_health, "POLL_S", 0.2)
    with serving(FaultyServer(models_fault=fault)) as server:
        asking.completions(ask(server, questions(2)).values())


def test_a_server_that_is_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_health, "OPENING_S", 10.0)
    server = FaultyServer()
    with switchable(server) as switch:
        switch.off()
        later = asyncio.run_coroutine_threadsafe(_after(0.3, switch._running.start()), switch._loop)
        asking.completions(ask(server, questions(2)).values())
        later.result()


async def _after(seconds: float, what: Any) -> None:
    await asyncio.sleep(seconds)
    await what


def test_some_servers_away_at_the_start_are_noted_and_used_when_they_come() -> None:
    notes: list[str] = []
    late, well = FaultyServer(), FaultyServer(latency_s=0.02)
    with switchable(late) as switch, serving(well):
        switch.off()
        with pool(late, well, at_once=2, note=notes.append) as teacher:
            asked = questions(400)
            outcomes = run_until(teacher, asked, lambda got: len(got) >= 20)
            assert not late.attempts
            switch.on()
            outcomes += run_until(teacher, asked, lambda _: len(late.attempts) > 20)
    assert all(isinstance(outcome, Completion) for outcome in outcomes)
    assert "1 of 2 servers are away" in notes[0]
