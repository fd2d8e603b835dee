"""A served teacher against a server that does everything wrong (tests/faulty_server.py)."""

import json
import logging
import resource
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import asking
import pytest
from endpoints import CANARY, SAMPLING, ask, pool, questions, run_until, short_waits
from faulty_server import PERMANENT, RETRYABLE, FaultyServer, serving, typical

from potstill.models.request import Abandoned, Completion, Failure, Outcome
from potstill.models.sampling import Sampling
from potstill.pipeline.errors import RequestError, StoppedOnPurpose


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    short_waits(monkeypatch)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(FaultyServer()) as running:
        yield running


def test_every_fault_is_ridden_out_and_the_answers_are_the_same(server: FaultyServer) -> None:
    requests = questions(3 * len(RETRYABLE))
    plain = ask(server, requests)
    with serving(FaultyServer(plan=lambda n: [RETRYABLE[n % len(RETRYABLE)]])) as faulty:
        assert ask(faulty, requests, timeout_s=2.0) == plain
    assert all(isinstance(outcome, Completion) for outcome in plain.values())
    met = {what for _, what in faulty.attempts}
    assert met == {*RETRYABLE, "answered"}
    assert set(faulty.paid.values()) == {1}
    assert len(faulty.paid) == len(requests)


def test_answers_are_the_same_with_a_fifth_of_faults(server: FaultyServer) -> None:
    requests = questions(400)
    plain = ask(server, requests)
    for seed in (1, 2):
        with serving(FaultyServer(rates=typical(0.2), seed=seed)) as faulty:
            assert ask(faulty, requests, at_once=64) == plain
        assert set(faulty.paid.values()) == {1}
        assert len(faulty.paid) == len(requests)
        assert len(faulty.attempts) > 440


def test_discarded_answers_are_counted() -> None:
    with (
        serving(FaultyServer(rates=typical(0.4), seed=3)) as server,
        pool(server) as teacher,
    ):
        asking.completions(asking.ask(teacher, questions(100)))
        assert teacher.discarded == server.discarded > 5
        assert teacher.facts()["retries"] == len(server.attempts) - 100


@pytest.mark.parametrize("fault", RETRYABLE)
def test_a_fault_that_stays_becomes_a_failure_of_that_request_alone(fault: str) -> None:
    with serving(FaultyServer(plan=lambda n: [fault] * 99 if n == 0 else [])) as server:
        outcomes = ask(server, questions(2), attempts=2, timeout_s=1.0)
    failed = [outcome for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert len(failed) == 1
    assert "after 2 attempts" in failed[0].detail
    assert 2 <= Counter(what for _, what in server.attempts)[fault] <= 4


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
    sampling = Sampling(temperature=0.8, max_tokens=99, stop=("END",), extra={"guided": [1]})
    (request,) = asking.requests(1, sampling, text="{} + 1? 好")
    with pool(server, template_kwargs={"enable_thinking": True}) as teacher:
        (outcome,) = asking.ask(teacher, [request])
    assert server.bodies == [
        {
            "model": "r1",
            "messages": [{"role": "user", "content": "0 + 1? 好"}],
            "temperature": 0.8,
            "top_p": 0.95,
            "max_tokens": 99,
            "stop": ["END"],
            "guided": [1],
            "seed": request.seed,
            "stream": False,
            "chat_template_kwargs": {"enable_thinking": True},
        }
    ]
    assert isinstance(outcome, Completion)
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.model) == (11, 7, "r1")
    raw = json.loads(outcome.raw or "")
    assert raw["choices"][0]["message"]["content"] == outcome.text == outcome.whole_text


def test_each_request_is_sent_with_its_own_messages_sampling_and_seed(
    server: FaultyServer,
) -> None:
    hot = Sampling(temperature=1.5, seed=None)
    asked = asking.requests(3, SAMPLING, samples=2) + asking.requests(2, hot, text="{}, hot?")
    with pool(server) as teacher:
        asking.completions(asking.ask(teacher, asked))
    sent = sorted(
        (body["messages"][0]["content"], body["temperature"], body.get("seed", -1))
        for body in server.bodies
    )
    assert sent == sorted(
        (
            each.messages[0].content,
            each.sampling.temperature,
            -1 if each.seed is None else each.seed,
        )
        for each in asked
    )


def test_a_thought_sent_apart_is_put_back() -> None:
    with serving(FaultyServer(reasoning=True)) as server:
        (outcome,) = ask(server, questions(1)).values()
    assert isinstance(outcome, Completion)
    assert outcome.text.startswith("The answer is")
    assert outcome.whole_text.startswith("<think>\n1 turns, ")
    assert "\n</think>\nThe answer is" in outcome.whole_text


@pytest.mark.parametrize("more", [{"at_once": 7}, {"at_once": 99, "concurrency": 7}])
def test_no_more_in_flight_than_allowed(server: FaultyServer, more: dict[str, int]) -> None:
    ask(server, questions(60), **more)
    assert 2 <= server.most_at_once <= 7


def test_more_connections_than_the_usual_limit_of_files(server: FaultyServer) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
    try:
        with pool(server, at_once=400):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 400
        with pytest.raises(RequestError, match="Lower `concurrency`"), pool(server, at_once=10**9):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_room_is_what_fits(server: FaultyServer) -> None:
    with pool(server, at_once=5) as teacher:
        asked = questions(8)
        for left in range(5, 0, -1):
            assert teacher.room == left
            teacher.submit(asked.pop())
        assert teacher.room == 0
        outcomes = teacher.poll(5)
        assert 1 <= len(outcomes) == teacher.room


def test_a_poll_ends_in_time_and_when_woken() -> None:
    with serving(FaultyServer(plan=lambda n: ["hang"])) as server, pool(server) as teacher:
        assert teacher.poll(0.0) == []
        assert teacher.poll(0.01) == []
        (request,) = questions(1)
        teacher.submit(request)
        timer = threading.Timer(0.1, teacher.wake)
        timer.start()
        started = time.monotonic()
        assert teacher.poll(20) == []
        assert time.monotonic() - started < 15
        timer.join()
        for _ in range(3):  # woken before: it does not wait
            teacher.wake()
        assert teacher.poll(20) == []
        assert time.monotonic() - started < 15
    teacher.wake()  # after closing: no error


def test_draining_gives_back_what_waits_and_what_fails_then() -> None:
    plan = {0: ["429_retry_after"] * 9, 1: [], 2: ["500"] * 9}
    server = FaultyServer(plan=lambda n: plan[n], latency_s=0.3, retry_after="9")
    with serving(server), pool(server, at_once=3) as teacher:
        asked = questions(4)
        for request in asked[:3]:
            teacher.submit(request)
        while not any(what == "429_retry_after" for _, what in server.attempts):
            teacher.poll(0.05)
        while "waiting" not in teacher.facts():
            teacher.poll(0.05)
        teacher.submit(asked[3])
        teacher.drain()
        assert teacher.room == 0
        outcomes = []
        while len(outcomes) < 4:
            outcomes += teacher.poll(5)
    kinds = {outcome.key: type(outcome) for outcome in outcomes}
    assert kinds[asked[0].key] is kinds[asked[2].key] is kinds[asked[3].key] is Abandoned
    assert kinds[asked[1].key] is Completion
    assert len(server.paid) == 1


def test_closing_leaves_nothing_behind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with serving(FaultyServer(plan=lambda n: ["hang"] * 9)) as server:
            before = threading.active_count()
            with pool(server) as teacher:
                for request in questions(5):
                    teacher.submit(request)
                assert teacher.poll(0.1) == []
            assert threading.active_count() == before


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
        more = {"api_key_env": "POTSTILL_TEST_KEY", "attempts": 1, "timeout_s": 0.3}
        outcomes = ask(server, questions(len(faults)), **more)
    assert len(outcomes) == len(faults)
    assert CANARY not in repr(outcomes)


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "“quoted”"])
def test_a_key_that_no_header_can_hold_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, server: FaultyServer, key: str
) -> None:
    monkeypatch.setenv("POTSTILL_TEST_KEY", key)
    with pytest.raises(RequestError, match="POTSTILL_TEST_KEY") as caught:
        ask(server, [], api_key_env="POTSTILL_TEST_KEY")
    assert key not in str(caught.value)


def test_without_a_key_none_is_sent(server: FaultyServer) -> None:
    ask(server, questions(1))
    assert server.keys == {None}


@pytest.mark.parametrize("fault", ["402", "429_quota"])
def test_an_account_without_credit_stops_the_run_when_the_rest_is_home(fault: str) -> None:
    server = FaultyServer(plan=lambda n: [fault] * 9 if n == 2 else [], latency_s=0.2)
    outcomes: list[Outcome] = []
    with (
        serving(server),
        pool(server) as teacher,
        pytest.raises(StoppedOnPurpose, match="no credit left"),
    ):
        run_until(teacher, questions(6), outcomes=outcomes)
    assert sum(isinstance(outcome, Completion) for outcome in outcomes) == 5
    assert sum(server.paid.values()) == 5


def test_an_interrupt_ends_it_at_once_with_nothing_left_behind() -> None:
    with serving(FaultyServer(plan=lambda n: ["hang"] * 9)) as server:
        main = threading.main_thread().ident
        assert main is not None
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job may ignore it
        timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            ask(server, questions(10), timeout_s=30)
        assert time.monotonic() - started < 10  # not the 30 s of the hanging server
        timer.join()
        signal.signal(signal.SIGINT, before)
