"""What a server can bear: its limit, its minute and its breaker, on a clock that tests turn."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.models.endpoint_breaker import RESERVE, STREAK, Breaker
from potstill.models.endpoint_rate import Bucket
from potstill.models.endpoint_throttle import ENOUGH, HELD_S, Throttle


def refuse(throttle: Throttle, times: int, now: float, in_flight: int, wait: float = 5.0) -> None:
    for _ in range(times):
        throttle.refused(now, in_flight, wait)


def test_single_refusals_change_nothing() -> None:
    throttle = Throttle(64)
    for moment in range(1000):
        (throttle.refused(moment, 63, 1.0) if moment % 5 == 0 else throttle.answered(moment))
    assert throttle.limit == 64
    assert throttle.allowed(1000) == 64


def test_many_refusals_halve_the_limit_once_and_close_the_gate() -> None:
    throttle = Throttle(64)
    refuse(throttle, ENOUGH, now=0.0, in_flight=0)
    assert throttle.limit == 32
    assert throttle.allowed(1.0) == 0
    assert throttle.opens_at(1.0) == 5.0
    refuse(throttle, 40, now=1.0, in_flight=0)
    assert throttle.limit == 32
    assert throttle.allowed(6.5) == 32


def test_a_full_server_stays_full() -> None:
    throttle = Throttle(64)
    refuse(throttle, ENOUGH, now=0.0, in_flight=48)
    refuse(throttle, 40, now=0.0, in_flight=8)  # the rest of those that were too many
    assert throttle.allowed(0.1) == 8
    for _ in range(3):
        throttle.answered(0.2)
    assert throttle.allowed(0.2) == 8
    throttle.answered(0.2)
    assert throttle.allowed(0.2) == 9  # one more is tried for four answers
    throttle.refused(0.3, 8, 5.0)
    assert throttle.allowed(0.3) == 8


def test_a_limit_is_believed_for_a_while_even_if_the_server_asks_for_less() -> None:
    throttle = Throttle(64)
    refuse(throttle, ENOUGH, now=0.0, in_flight=4, wait=0.01)
    assert throttle.allowed(HELD_S / 2) == 4
    assert throttle.allowed(HELD_S * 2) == 32


def test_a_closed_gate_lets_one_try_when_the_server_said_so() -> None:
    throttle = Throttle(64)
    refuse(throttle, ENOUGH, now=0.0, in_flight=0, wait=0.1)
    assert throttle.allowed(0.05) == 0
    assert throttle.opens_at(0.05) == 0.1
    assert throttle.allowed(0.2) == 1


def test_the_limit_grows_back_with_answers() -> None:
    throttle = Throttle(64)
    refuse(throttle, ENOUGH, now=0.0, in_flight=0)
    answers = 0
    while throttle.limit < 64:
        throttle.answered(10.0)
        answers += 1
    assert 200 < answers < 800  # about 8 rounds of 32 to 64: steadily, not at once


@given(
    st.integers(1, 100),
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 0.5), st.integers(0, 100), st.floats(0, 2)),
        max_size=200,
    ),
)
def test_the_limit_stays_between_one_and_most(
    most: int, events: list[tuple[bool, float, int, float]]
) -> None:
    throttle, now = Throttle(most), 0.0
    for refused, step, in_flight, wait in events:
        now += step
        if refused:
            throttle.refused(now, min(in_flight, most), wait)
        else:
            throttle.answered(now)
        assert 1 <= throttle.limit <= most
        assert 0 <= throttle.allowed(now) <= most
        if throttle.allowed(now) == 0:  # a pause ends by itself
            assert now < throttle.opens_at(now) < math.inf
            assert throttle.allowed(throttle.opens_at(now)) > 0


def test_a_bucket_never_gives_much_more_than_its_share() -> None:
    bucket, sent = Bucket(60, held_s=1.0), 0
    for tenth in range(600):
        while bucket.level(tenth / 10) >= 1:
            bucket.take(tenth / 10, 1)
            sent += 1
    assert 59 <= sent <= 62


def test_a_debt_is_waited_for() -> None:
    bucket = Bucket(600, held_s=10.0)
    bucket.take(0.0, 150)
    assert bucket.level(0.0) == -50
    assert bucket.next_at(0.0, 1) == pytest.approx(5.1)
    bucket.take(0.0, -1000)
    assert bucket.level(0.0) == 100  # no more than it holds


def test_a_streak_opens_the_breaker_and_an_answer_closes_it() -> None:
    breaker = Breaker(64)
    assert [breaker.failed(3.0, True) for _ in range(STREAK)] == [False] * (STREAK - 1) + [True]
    assert breaker.down_since == 3.0
    assert not breaker.failed(4.0, True)
    assert breaker.down_since == 3.0
    breaker.answered()
    assert not breaker.is_open


@pytest.mark.parametrize(("concurrency", "enough"), [(1, 4), (2, 6), (4, 10), (1000, 10)])
def test_fewer_failures_suffice_where_fewer_are_in_flight(concurrency: int, enough: int) -> None:
    breaker = Breaker(concurrency)
    assert [breaker.failed(0.0, True) for _ in range(enough)].index(True) == enough - 1


def test_rows_that_always_fail_do_not_make_a_server_look_ill() -> None:
    breaker = Breaker(64)
    assert not any(breaker.failed(0.0, False) for _ in range(int(RESERVE) - 1))
    assert breaker.failed(0.0, False)  # but the budget of retries ends


def test_a_third_of_faults_never_opens_it() -> None:
    breaker = Breaker(64)
    for _ in range(3000):
        assert not breaker.failed(0.0, True)
        breaker.answered()
        breaker.answered()


def test_more_failures_than_answers_open_it_in_the_end() -> None:
    breaker, opened = Breaker(64), False
    for _ in range(200):
        opened = opened or breaker.failed(0.0, True) or breaker.failed(0.0, True)
        if not opened:
            breaker.answered()
    assert opened
