"""How much of each part: weights, counts, epochs, caps, and what cannot be met."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from potstill.pipeline.errors import RequestError
from potstill.stages.mixing.amounts import Asked, PartAmount
from potstill.stages.mixing.shares import apportion, largest_share, share

PARTS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, PartAmount])


def amounts(
    parts: dict[str, Any], have: dict[str, int], size: int | None = None, repeat: int = 1
) -> dict[str, int]:
    asked = Asked(PARTS.validate_python(parts), "samples", size, repeat)
    return asked.amounts(have)


class Case(NamedTuple):
    parts: dict[str, Any]
    have: dict[str, int]
    more: dict[str, int]
    made: list[int]


MET: dict[str, Case] = {
    "the scarcest decides": Case({"a": 3, "b": 1}, {"a": 30, "b": 20}, {}, [30, 10]),
    "a size": Case({"a": 3, "b": 1}, {"a": 30, "b": 20}, {"size": 10}, [8, 2]),
    "a mapping is a weight too": Case(
        {"a": {"weight": 3}, "b": 1}, {"a": 30, "b": 20}, {}, [30, 10]
    ),
    "the scarce one again": Case({"a": 1, "b": 1}, {"a": 10, "b": 30}, {"repeat": 3}, [30, 30]),
    "not all again": Case({"a": 1, "b": 1}, {"a": 10, "b": 10}, {"repeat": 5}, [10, 10]),
    "counts": Case({"a": {"count": 6}, "b": {"count": 2}}, {"a": 9, "b": 9}, {}, [6, 2]),
    "a count again": Case({"a": {"count": 6}}, {"a": 2}, {"repeat": 3}, [6]),
    "R1": Case(
        {"a": {"count": 600_000}, "b": {"count": 200_000}},
        {"a": 900_000, "b": 200_000},
        {},
        [600_000, 200_000],
    ),
    "R1 by weights": Case(
        {"a": 3, "b": 1}, {"a": 900_000, "b": 200_000}, {"size": 800_000}, [600_000, 200_000]
    ),
    "epochs": Case({"a": {"epochs": 2.5}, "b": {"epochs": 0.5}}, {"a": 7, "b": 7}, {}, [18, 4]),
    "epochs to a cap": Case({"a": {"epochs": 3, "most": 16}}, {"a": 7}, {}, [16]),
    "a count beside weights": Case(
        {"a": {"count": 5}, "b": 2, "c": 1}, {"a": 9, "b": 10, "c": 10}, {}, [5, 10, 5]
    ),
    "a count beside weights in a size": Case(
        {"a": {"count": 5}, "b": 2, "c": 1}, {"a": 9, "b": 10, "c": 10}, {"size": 14}, [5, 6, 3]
    ),
    "a cap gives to the others": Case(
        {"a": {"weight": 8, "most": 4}, "b": 1, "c": 1},
        {"a": 90, "b": 90, "c": 90},
        {"size": 20},
        [4, 8, 8],
    ),
    "a cap stops nobody else": Case(
        {"a": {"weight": 1, "most": 4}, "b": 1}, {"a": 90, "b": 50}, {}, [4, 50]
    ),
    "all capped": Case(
        {"a": {"weight": 1, "most": 4}, "b": {"weight": 2, "most": 3}}, {"a": 9, "b": 9}, {}, [4, 3]
    ),
    "a cap above what there is": Case(
        {"a": {"weight": 1, "most": 80}, "b": 1}, {"a": 9, "b": 50}, {}, [9, 9]
    ),
    "a size that the counts make": Case({"a": {"count": 6}}, {"a": 9}, {"size": 6}, [6]),
}


@pytest.mark.parametrize("case", MET.values(), ids=MET.keys())
def test_amounts(case: Case) -> None:
    assert list(amounts(case.parts, case.have, **case.more).values()) == case.made


class Refusal(NamedTuple):
    parts: dict[str, Any]
    have: dict[str, int]
    more: dict[str, int]
    message: str


NOT_MET: dict[str, Refusal] = {
    "empty": Refusal({"a": 1, "b": 1}, {"a": 9, "b": 0}, {}, "nothing to mix: b holds no samples"),
    "a size too large": Refusal(
        {"a": 1, "b": 1},
        {"a": 10, "b": 90},
        {"size": 60},
        r"needs 30 samples of 'a', which has 10 .*size: 20 or less, or allow repeat: 3",
    ),
    "a count too large": Refusal(
        {"a": {"count": 25}},
        {"a": 10},
        {"repeat": 2},
        r"needs 25 samples of 'a', which has 10 \(each sample used at most 2 times\)\. "
        r"Ask for count: 20 or less, or allow repeat: 3",
    ),
    "counts and another size": Refusal(
        {"a": {"count": 6}, "b": {"epochs": 1}},
        {"a": 9, "b": 9},
        {"size": 20},
        r"size is 20 samples, but .* makes 15 \(a 6, b 9\)\. Leave size out",
    ),
    "nothing left for weights": Refusal(
        {"a": {"count": 6}, "b": 1},
        {"a": 9, "b": 9},
        {"size": 6},
        r"size is 6 samples, and counts and epochs need 6 \(a 6\).*size: 7 or more",
    ),
    "caps below the size": Refusal(
        {"a": {"weight": 1, "most": 4}, "b": {"weight": 1, "most": 5}, "c": {"count": 1}},
        {"a": 9, "b": 9, "c": 9},
        {"size": 20},
        r"size is 20 samples, but every part with a weight is capped.*at most 10\. "
        "Ask for size: 10 or less",
    ),
    "a cap that pushes another over": Refusal(
        {"a": {"weight": 9, "most": 2}, "b": 1},
        {"a": 9, "b": 5},
        {"size": 10},
        r"needs 8 samples of 'b', which has 5 .*size: 7 or less",
    ),
}


@pytest.mark.parametrize("case", NOT_MET.values(), ids=NOT_MET.keys())
def test_what_cannot_be_met_says_what_can(case: Refusal) -> None:
    with pytest.raises(RequestError, match=case.message):
        amounts(case.parts, case.have, **case.more)


WRONG: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "exactly one of weight, count and epochs"),
    "two ways": ({"count": 3, "weight": 2}, "exactly one of weight, count and epochs"),
    "two amounts": ({"count": 3, "most": 2}, "count and most both say how much"),
    "a weight of nothing": (0, "greater than 0"),
    "an endless weight": (float("inf"), "finite"),
    "no epochs": ({"epochs": 0}, "greater than 0"),
    "a truth": (True, "valid dictionary or instance of Amount"),
    "a typing slip": ({"counts": 3}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("part", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_part_says_one_thing(part: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PARTS.validate_python({"a": part})


weight = st.fractions(min_value=Fraction(1, 50), max_value=50)


@given(st.integers(0, 10_000), st.lists(weight, min_size=1, max_size=6))
def test_apportion_is_whole_and_close(total: int, weights: list[Fraction]) -> None:
    named = {f"part{number}": each for number, each in enumerate(weights)}
    counts = apportion(total, named)
    assert sum(counts.values()) == total
    for name, count in counts.items():
        assert abs(count - total * named[name] / sum(weights)) < 1


caps = st.dictionaries(st.sampled_from("abc"), st.integers(1, 60))
weights = st.fixed_dictionaries(dict.fromkeys("abc", weight))


@settings(max_examples=200, deadline=None)
@given(weights, caps, st.integers(0, 200))
def test_caps_are_held_and_all_the_rest_is_shared(
    weights: dict[str, Fraction], caps: dict[str, int], total: int
) -> None:
    shared = share(total, weights, caps)
    assert all(shared[name] <= most for name, most in caps.items())
    most = sum(caps.values()) if len(caps) == len(weights) else math.inf
    assert sum(shared.values()) == min(total, most)
    free = [name for name in weights if shared[name] < caps.get(name, math.inf)]
    for one in free:  # and who is not capped has what its weight says, within a whole number
        for two in free:
            assert abs(shared[one] / weights[one] - shared[two] / weights[two]) <= (
                1 / weights[one] + 1 / weights[two]
            )


have = st.fixed_dictionaries(dict.fromkeys("abc", st.integers(1, 300)))


@settings(max_examples=200, deadline=None)
@given(have, weights, caps, st.integers(1, 4))
def test_the_largest_mixture_uses_something_up_and_nothing_too_often(
    have: dict[str, int], weights: dict[str, Fraction], caps: dict[str, int], repeat: int
) -> None:
    total = largest_share(have, weights, caps, repeat)
    shared = share(total, weights, caps)
    assert sum(shared.values()) == total
    assert all(shared[name] <= have[name] * repeat for name in have)
    more = share(total + len(have) + 1, weights, caps)
    limits = {name: min(have[name] * repeat, caps.get(name, math.inf)) for name in have}
    used_up = any(more[name] > have[name] * repeat or more[name] >= limits[name] for name in have)
    richest = any(more[name] >= have[name] for name in have)
    assert used_up or richest


@pytest.mark.parametrize("part", [{"epochs": 1e9}, {"epochs": 1e300}])
def test_more_epochs_than_memory_holds_are_refused(part: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1000"):
        PARTS.validate_python({"a": part})


def test_what_no_repeat_could_meet_names_no_repeat() -> None:
    with pytest.raises(RequestError, match=r"Ask for size: 11 or less\.$"):
        amounts({"a": 1}, {"a": 11}, size=10**30)
