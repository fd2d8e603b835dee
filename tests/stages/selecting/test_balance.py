"""Balance by what rows hold: quotas, lots, unknown values, and balances that cannot be had."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from scored import SOME, reasons, said, select, trace
from workbench import Workbench, problem

from potstill.pipeline.errors import RequestError

MANY = [
    trace(f"{language}{n}", f"{language} {n}", {"a": float(n % 2), "subject": subject},
          language=language)
    for language, subject, count in (("en", "sums", 12), ("zh", "sets", 6), ("fr", None, 2))
    for n in range(count)
]  # fmt: skip

BALANCED: dict[str, tuple[dict[str, Any], dict[str | None, int]]] = {
    "equal": ({"by": "language"}, {"en": 2, "zh": 2, "fr": 2}),
    "weights": (
        {"by": "language", "weights": {"en": 2, "zh": 1}, "others": "leave_out"},
        {"en": 12, "zh": 6},
    ),
    "weights as fractions": (
        {"by": "language", "weights": {"en": 0.2, "zh": 0.1}, "others": "leave_out"},
        {"en": 12, "zh": 6},
    ),
    "others kept": (
        {"by": "language", "weights": {"en": 1, "zh": 1}, "others": "keep"},
        {"en": 6, "zh": 6, "fr": 2},
    ),
    "most": (
        {"by": "language", "weights": {"en": 1, "zh": 1}, "others": "keep", "most": 5},
        {"en": 3, "zh": 2, "fr": 2},
    ),
    "never up": (
        {"by": "language", "weights": {"en": 1, "zh": 9}, "others": "leave_out"},
        {"zh": 6, "en": 1},
    ),
    "a column of extra": ({"by": "extra.subject", "others": "leave_out"}, {"en": 6, "zh": 6}),
}


@pytest.mark.parametrize(("balance", "expected"), BALANCED.values(), ids=BALANCED.keys())
def test_balance(
    bench: Workbench, balance: dict[str, Any], expected: dict[str | None, int]
) -> None:
    chosen = select(bench, bench.samples("traces", MANY), balance=balance)
    found = Counter(sample.language for sample in chosen.samples())
    assert found == Counter(expected)
    assert set(reasons(chosen, MANY).values()) <= {"balance", "balance_others"}
    values = chosen.metrics["balance"]["values"].values()
    assert sum(value["in"] for value in values) == len(MANY)
    assert sum(value["rows"] for value in values) == chosen.rows


def test_balance_of_difficulty_and_length(bench: Workbench) -> None:
    traces = bench.samples("traces", SOME)
    by = {"by": "difficulty", "weights": {"easy": 1, "hard": 1}, "others": "leave_out"}
    chosen = select(bench, traces, balance=by, pass_rate={"by": "a"})
    assert chosen.rows == 4
    assert {"h1", "h2 half"} < set(said(chosen))
    told = chosen.metrics["balance"]["values"]
    assert {value: counts["in"] for value, counts in told.items()} == {
        "easy": 5,
        "hard": 2,
        "unknown": 1,
    }
    lengths = select(bench, traces, "lengths", balance={"by": "length"})
    assert set(lengths.metrics["balance"]["values"]) == {"2-3", "4-7", "8-15", "16-31"}


def test_an_empty_value_of_extra_is_unknown_as_it_is_of_a_column(bench: Workbench) -> None:
    levels = ["1", 1, "", None, "a"]
    samples = [trace(f"q{n}", "x", {"my level's": level}) for n, level in enumerate(levels)]
    balance = {"by": "extra.my level's", "others": "keep"}
    chosen = select(bench, bench.samples("traces", samples), balance=balance)
    values = {value: told["in"] for value, told in chosen.metrics["balance"]["values"].items()}
    assert values == {"1": 2, "a": 1, "unknown": 2}


def test_of_many_values_the_rarest_are_told_together(bench: Workbench) -> None:
    samples = [problem(f"q{n}", "x", source=f"s{min(n, 140)}") for n in range(150)]
    chosen = select(bench, bench.samples("traces", samples), balance={"by": "source"})
    values = chosen.metrics["balance"]["values"]
    assert values["s140"] == {"in": 10, "rows": 1}
    assert values["41 others"] == {"in": 41, "rows": 41}
    assert len(values) == 101


def test_lots_are_drawn_by_seed_and_not_by_order(bench: Workbench) -> None:
    drawn = {}
    for seed in range(2):
        for name, samples in (("forward", MANY), ("backward", MANY[::-1])):
            traces = bench.samples(f"{name}{seed}_traces", samples)
            balance = {"by": "language", "seed": seed}
            order = {"by": "random", "seed": seed}
            made = select(bench, traces, f"{name}{seed}", balance=balance, order=order)
            drawn[name, seed] = said(made)
    assert drawn["forward", 0] == drawn["backward", 0] != drawn["forward", 1]
    assert drawn["forward", 1] == drawn["backward", 1]


WRONG_BALANCE: dict[str, tuple[dict[str, Any], str]] = {
    "a value that nobody has": (
        {"by": "language", "weights": {"en": 1, "de": 1}},
        "a weight to de, but no sample .* here are 'en' 12, 'zh' 6, 'fr' 2",
    ),
    "a value that nobody named": (
        {"by": "language", "weights": {"en": 1, "zh": 1}},
        "'fr' 2 have no weight",
    ),
    "nothing known": ({"by": "extra.level"}, "no sample that is left has a known one"),
    "an unknown value": ({"by": "extra.subject"}, "'unknown' 2 have no weight"),
}


@pytest.mark.parametrize(("balance", "match"), WRONG_BALANCE.values(), ids=WRONG_BALANCE.keys())
def test_balances_that_cannot_be_had(bench: Workbench, balance: Any, match: str) -> None:
    with pytest.raises(RequestError, match=match):
        select(bench, bench.samples("traces", MANY), balance=balance)
