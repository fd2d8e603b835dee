"""A served teacher against a server that does everything wrong (tests/faulty_server.py)."""

import json
import logging
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from faulty_server import PERMANENT, RETRYABLE, FaultyServer, serving

from potstill.models import endpoint_teacher
from potstill.models.endpoint_answer import Retry, read_response
from potstill.models.endpoint_teacher import open_endpoint
from potstill.models.request import Completion, Failure, Keys, Request, Sampling, TeacherIdentity
from potstill.models.teacher import EndpointTeacher
from potstill.pipeline.errors import RequestError, StoppedOnPurpose
from potstill.pipeline.sample import Message

CANARY = "sk-canary0123456789abcdef"
SAMPLING = Sampling(temperature=0.8, max_tokens=99)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_teacher, "BACKOFF_START_S", 0.001)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(FaultyServer()) as running:
        yield running


def config(server: FaultyServer, **more: Any) -> EndpointTeacher:
    return EndpointTeacher(**{"base_url": server.url, "model": "r1", "timeout_s": 0.5, **more})


def questions(number: int) -> list[Request]:
    keys = Keys(TeacherIdentity("r1", "", {"model": "r1"}), SAMPLING, {})
    return [
        request
        for place in range(number)
        for request in keys.requests(f"p{place}", (Message("user", f"{place} + 1?"),), 1)
    ]


def ask(
    server: FaultyServer, requests: list[Request], **more: Any
) -> dict[str, Completion | Failure]:
    with open_endpoint(config(server, **more), SAMPLING, {}) as teacher:
        return {outcome.key: outcome for outcome in teacher.sample(requests)}


def test_every_fault_is_ridden_out_and_the_answers_are_the_same(server: FaultyServer) -> None:
    requests = questions(3 * len(RETRYABLE))
    plain = ask(server, requests)
    with serving(FaultyServer(plan=lambda n: [RETRYABLE[n % len(RETRYABLE)]])) as faulty:
        assert ask(faulty, requests) == plain
    assert all(isinstance(outcome, Completion) for outcome in plain.values())
    met = {what for _, what in faulty.attempts}
    assert met == {*RETRYABLE, "answered"}
    assert set(faulty.paid.values()) == {1}
    assert len(faulty.paid) == len(requests)


@pytest.mark.parametrize("fault", RETRYABLE)
def test_a_fault_that_stays_becomes_a_failure_of_that_request_alone(fault: str) -> None:
    requests = questions(2)
    with serving(FaultyServer(plan=lambda n: [fault] * 9 if n == 0 else [])) as server:
        outcomes = ask(server, requests, attempts=2, timeout_s=0.3)
    failed = [outcome for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert len(failed) == 1
    assert "after 2 attempts" in failed[0].detail
    assert [what for _, what in server.attempts].count(fault) == 2


@pytest.mark.parametrize(("fault", "reason"), PERMANENT.items())
def test_a_refusal_is_not_asked_again(fault: str, reason: str) -> None:
    with serving(FaultyServer(plan=lambda n: [fault] * 9)) as server:
        (outcome,) = ask(server, questions(1)).values()
    assert isinstance(outcome, Failure)
    assert outcome.reason == reason
    assert [what for _, what in server.attempts] == [fault]


def test_an_answer_cut_by_its_limit_is_kept_and_marked() -> None:
    with serving(FaultyServer(plan=lambda n: ["length"])) as server:
        (outcome,) = ask(server, questions(1)).values()
    assert isinstance(outcome, Completion)
    assert outcome.finish_reason == "length"


def test_what_is_sent_and_what_is_kept(server: FaultyServer) -> None:
    (request,) = questions(1)
    with open_endpoint(config(server), SAMPLING, {"enable_thinking": True}) as teacher:
        (outcome,) = teacher.sample([request])
    assert server.bodies == [
        {
            "model": "r1",
            "messages": [{"role": "user", "content": "0 + 1?"}],
            "temperature": 0.8,
            "top_p": 0.95,
            "max_tokens": 99,
            "seed": request.seed,
            "stream": False,
            "chat_template_kwargs": {"enable_thinking": True},
        }
    ]
    assert isinstance(outcome, Completion)
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.model) == (11, 7, "r1")
    raw = json.loads(outcome.raw or "")
    assert raw["choices"][0]["message"]["content"] == outcome.text == outcome.whole_text


def test_a_thought_sent_apart_is_put_back() -> None:
    with serving(FaultyServer(reasoning=True)) as server:
        (outcome,) = ask(server, questions(1)).values()
    assert isinstance(outcome, Completion)
    assert outcome.text.startswith("The answer is")
    assert outcome.whole_text.startswith("<think>\n1 turns, ")
    assert "\n</think>\nThe answer is" in outcome.whole_text


def test_no_more_in_flight_than_allowed(server: FaultyServer) -> None:
    ask(server, questions(60), concurrency=7)
    assert 2 <= server.most_at_once <= 7


def test_requests_are_taken_as_there_is_room(server: FaultyServer) -> None:
    taken = 0

    def counted() -> Iterator[Request]:
        nonlocal taken
        for request in questions(100):
            taken += 1
            yield request

    with open_endpoint(config(server, concurrency=5), SAMPLING, {}) as teacher:
        outcomes = teacher.sample(counted())
        next(outcomes)
        assert taken < 30


def test_retry_after_pauses_the_whole_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[float] = []
    plan = FaultyServer(plan=lambda n: ["429_retry_after"] if n == 0 else [])
    with serving(plan) as server:
        real = server.answer

        def timed(body: dict[str, Any], name: str) -> dict[str, Any]:
            times.append(time.monotonic())
            return real(body, name)

        monkeypatch.setattr(server, "answer", timed)
        ask(server, questions(12), concurrency=2)
    waited = [moment for moment in times if moment - times[0] >= 0.05]
    assert len(times) == 13
    assert len(waited) >= 6  # the other worker too, but for what it had in flight


def test_a_server_that_asks_for_an_hour_stops_the_run() -> None:
    with (
        serving(FaultyServer(plan=lambda n: ["429_long"])) as server,
        pytest.raises(StoppedOnPurpose, match="3600 s"),
    ):
        ask(server, questions(5))


def test_nobody_listens() -> None:
    with open_endpoint(
        EndpointTeacher(base_url="http://127.0.0.1:9", model="r1", attempts=3), SAMPLING, {}
    ) as teacher:
        (outcome,) = teacher.sample(questions(1))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "connection_failed"


def test_a_refused_key_stops_the_run_and_is_in_no_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("POTSTILL_TEST_KEY", CANARY)
    caplog.set_level(logging.DEBUG)
    with (
        serving(FaultyServer(plan=lambda n: ["401_echo"] * 9)) as server,
        pytest.raises(RequestError, match="refused the key in POTSTILL_TEST_KEY") as caught,
    ):
        ask(server, questions(3), api_key_env="POTSTILL_TEST_KEY")
    assert server.keys == {f"Bearer {CANARY}"}
    assert "***" in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in repr(error) + str(error)
        error = error.__cause__ or error.__context__
    assert CANARY not in caplog.text


def test_the_key_is_in_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POTSTILL_TEST_KEY", CANARY)
    faults = [*RETRYABLE, *PERMANENT]
    with serving(FaultyServer(plan=lambda n: [faults[n]] * 9)) as server:
        outcomes = ask(
            server,
            questions(len(faults)),
            api_key_env="POTSTILL_TEST_KEY",
            attempts=1,
            timeout_s=0.3,
        )
    assert len(outcomes) == len(faults)
    assert CANARY not in repr(outcomes)


def test_without_a_key_none_is_sent(server: FaultyServer) -> None:
    ask(server, questions(1))
    assert server.keys == {None}


def test_an_interrupt_ends_it_at_once_with_nothing_left_behind() -> None:
    with serving(FaultyServer(plan=lambda n: ["hang"] * 9)) as server:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            ask(server, questions(10), timeout_s=30)
        assert time.monotonic() - started < 10  # not the 30 s of the hanging server
        timer.join()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert endpoint_teacher._retry_after(header) == seconds


CHOICE = {"message": {"content": "7"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("status", "data", "expected"),
    [
        (200, {"choices": [CHOICE]}, Completion),
        (200, {"choices": [CHOICE], "usage": None}, Completion),
        (200, {"choices": [CHOICE], "usage": {"completion_tokens": "7"}}, Completion),
        (200, {"choices": [{**CHOICE, "message": {"content": ""}}]}, Completion),
        (
            200,
            {"choices": [{**CHOICE, "message": {"content": None, "reasoning": "3"}}]},
            Completion,
        ),
        (200, {"choices": [{**CHOICE, "message": None}]}, Retry),
        (200, {"choices": {"0": CHOICE}}, Retry),
        (200, [CHOICE], Retry),
        (200, "text", Retry),
        (200, None, Retry),
        (500, {}, Retry),
        (529, {}, Retry),
        (418, {}, Failure),
    ],
)
def test_what_a_response_means(status: int, data: Any, expected: type) -> None:
    (request,) = questions(1)
    outcome = read_response(request, status, json.dumps(data).encode())
    assert isinstance(outcome, expected)
    if isinstance(outcome, Completion):
        assert outcome.completion_tokens is None
