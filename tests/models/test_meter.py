"""Sums, caps and forecasts of a run."""

import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.demand import Pursuit
from potstill.models.meter import Meter, Spread, dollars
from potstill.models.request import Completion
from potstill.models.teacher import Price
from potstill.pipeline.budget import Budget


def completion(tokens: int | None, prompt: int | None = 10) -> Completion:
    return Completion("k", "7", "stop", prompt, tokens, "m", "{}")


@given(st.lists(st.integers(0, 10**6), min_size=2))
def test_mean_and_deviation(values: list[int]) -> None:
    spread = Spread()
    for value in values:
        spread.add(value)
    assert spread.mean == pytest.approx(statistics.mean(values))
    assert spread.deviation == pytest.approx(statistics.stdev(values), rel=1e-3, abs=1e-2)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_nothing_known_is_nothing_expected(more: int) -> None:
    assert Spread().of_next(more) == (0.0, 0.0, 0.0)


def test_the_interval_holds_its_promise() -> None:
    """About 95 of 100 sums of the next values lie inside; more than 85 do for sure."""
    draw, inside = random.Random(0), 0
    for _ in range(300):
        spread = Spread()
        for _ in range(50):
            spread.add(draw.lognormvariate(5, 0.6))
        low, expected, high = spread.of_next(200)
        assert low <= expected <= high
        inside += low <= sum(draw.lognormvariate(5, 0.6) for _ in range(200)) <= high
    assert 0.85 < inside / 300 < 0.995


@pytest.mark.parametrize(
    ("budget", "outstanding", "cap"),
    [
        (Budget(), 1000, None),
        (Budget(requests=10), 9, None),
        (Budget(requests=10), 10, "--max-requests 10"),
        (Budget(tokens=1000), 8, None),  # nine answers of at most 110 tokens fit
        (Budget(tokens=1000), 9, "--max-tokens 1,000"),
        (Budget(usd=0.001), 0, None),
        (Budget(usd=0.001), 10, "--max-usd 0.001"),
        (Budget(deadline=1.0), 0, "--max-hours"),
    ],
)
def test_a_cap_covers_what_is_in_flight(budget: Budget, outstanding: int, cap: str | None) -> None:
    meter = Meter(budget, Price(output=1.0), num_problems=5, most_tokens=110)
    assert meter.cap(outstanding) == cap


def test_a_cap_learns_how_long_answers_are() -> None:
    meter = Meter(Budget(tokens=1000), None, num_problems=5, most_tokens=32_768)
    assert meter.cap(1) == "--max-tokens 1,000"
    for _ in range(8):
        meter.answered(completion(10))
    assert meter.cap(1) is None
    assert meter.cap(100) == "--max-tokens 1,000"


def test_one_request_is_always_allowed_below_the_cap() -> None:
    """A cap smaller than the longest answer must not block a run for ever."""
    meter = Meter(Budget(tokens=5), None, num_problems=5, most_tokens=32_768)
    assert meter.cap(0) is None


def test_what_the_progress_shows() -> None:
    meter = Meter(Budget(), Price(input=1.0, output=2.0), num_problems=20, most_tokens=100)
    assert meter.facts() == {}
    for _ in range(10):
        pursuit = Pursuit(iter(()))
        pursuit.tokens = meter.answered(completion(50))
        meter.problem_done(pursuit)
    meter.prompt_tokens, meter.completion_tokens, meter.requests = 100, 500, 10
    facts = meter.facts()
    assert facts["requests"] == 10
    assert facts["tokens"] == 500
    assert facts["cost"] == "$0.0011"
    assert facts["tokens left"] == "500 (500–500)"
    assert facts["cost left"] == "$0.0011"


def test_tokens_that_were_not_told_cost_nothing_known() -> None:
    meter = Meter(Budget(), None, num_problems=1, most_tokens=1)
    assert meter.answered(completion(None, None)) == 0
    assert meter.usd == 0.0


@pytest.mark.parametrize(
    ("usd", "text"), [(0, "$0.00"), (0.00123, "$0.0012"), (0.1, "$0.10"), (1234.5, "$1,234.50")]
)
def test_dollars(usd: float, text: str) -> None:
    assert dollars(usd) == text
