"""Caps: what is left, which one is used up, and which are no caps at all."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.pipeline.budget import Budget, Spent
from potstill.pipeline.errors import RequestError


@pytest.mark.parametrize("name", ["tokens", "requests", "usd", "hours"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, -math.inf])
def test_a_cap_is_a_number_above_0(name: str, value: float) -> None:
    caps: dict[str, Any] = {name: value}
    with pytest.raises(RequestError, match=f"--max-{name} {value:g}: expected a number above 0"):
        Budget.of(**caps)


def test_hours_count_from_now() -> None:
    left = Budget.of(hours=0.5).seconds_left
    assert left is not None
    assert 1000 < left <= 1800
    assert Budget(deadline=time.time() - 1).seconds_left == 0
    assert Budget.of().seconds_left is None


@pytest.mark.parametrize(
    ("budget", "spent", "reached"),
    [
        (Budget(), Spent(10**9, 10**9, 1e9), None),
        (Budget(tokens=1000), Spent(999), None),
        (Budget(tokens=1000), Spent(1000), "--max-tokens 1,000"),
        (Budget(requests=5), Spent(requests=6), "--max-requests 5"),
        (Budget(usd=2.5), Spent(usd=2.5), "--max-usd 2.5"),
        (Budget(usd=2.5), Spent(usd=2.4), None),
        (Budget(deadline=1.0), Spent(), "--max-hours"),
    ],
)
def test_which_cap_is_used_up(budget: Budget, spent: Spent, reached: str | None) -> None:
    assert budget.reached(spent) == reached


COUNTS = st.integers(0, 1000)
SPENT = st.builds(Spent, COUNTS, COUNTS, COUNTS.map(float))


@given(st.lists(SPENT), st.none() | COUNTS, st.none() | COUNTS)
def test_the_order_of_spending_changes_nothing(
    parts: list[Spent], tokens: int | None, requests: int | None
) -> None:
    budget = Budget(tokens, requests, 500.0)
    one_by_one = budget
    for part in parts:
        one_by_one = one_by_one.less(part)
    assert one_by_one == budget.less(Spent.total(parts)) == budget.less(Spent.total(parts[::-1]))
