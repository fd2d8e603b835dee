"""When enough is enough, and what may be concluded from it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.models.quota import Until, pass_rate, prefix_length, standard_error


@pytest.mark.parametrize(
    ("accepted", "quota", "length"),
    [
        ([], 1, 0),
        ([False, False], 1, 2),
        ([True, False], 1, 1),
        ([False, True, True, True], 2, 3),
        ([True, False, False], 2, 3),
        ([True, True], None, 2),
    ],
)
def test_the_shortest_prefix_with_enough(
    accepted: list[bool], quota: int | None, length: int
) -> None:
    assert prefix_length(accepted, quota) == length


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 4))
def test_a_prefix_is_minimal(accepted: list[bool], quota: int) -> None:
    length = prefix_length(accepted, quota)
    if sum(accepted) >= quota:
        assert sum(accepted[:length]) == quota
        assert accepted[length - 1]
    else:
        assert length == len(accepted)


@pytest.mark.parametrize("until", [{"accepted": 0, "samples": 1}, {"accepted": 3, "samples": 2}])
def test_what_can_never_be_met_is_refused(until: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Until.model_validate(until)


@pytest.mark.parametrize(
    ("accepted", "drawn", "quota", "rate"),
    [
        (0, 0, 2, None),
        (1, 4, None, 0.25),
        (1, 8, 2, 0.125),  # n reached
        (2, 2, 2, 1.0),
        (2, 3, 2, 0.5),
        (1, 1, 1, 1.0),
        (1, 5, 1, 0.0),
    ],
)
def test_pass_rates(accepted: int, drawn: int, quota: int | None, rate: float | None) -> None:
    assert pass_rate(accepted, drawn, quota) == rate


@pytest.mark.parametrize("quota", [1, 2, 3])
@pytest.mark.parametrize("chance", [0.1, 0.55, 0.9])
def test_pass_rates_are_unbiased(quota: int, chance: float) -> None:
    """Exactly: the expectation over all sequences of n = 6 draws is the chance itself."""
    samples, expected, naive = 6, 0.0, 0.0
    for outcome in range(2**samples):
        draws = [bool(outcome >> bit & 1) for bit in range(samples)]
        weight = chance ** sum(draws) * (1 - chance) ** (samples - sum(draws))
        length = prefix_length(draws, quota)
        good = sum(draws[:length])
        rate = pass_rate(good, length, quota)
        assert rate is not None
        expected += weight * rate
        naive += weight * good / length
    assert expected == pytest.approx(chance)
    assert naive > chance + 0.001  # what the estimate is there to avoid


def test_standard_error() -> None:
    assert standard_error([0.5]) is None
    rng = random.Random(0)
    values = [float(rng.random() < 0.3) for _ in range(1000)]
    assert standard_error(values) == pytest.approx((0.3 * 0.7 / 1000) ** 0.5, rel=0.05)
