"""Forecasts in a line: rounded for a human, and nothing unknown shown as 0."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.forecast import Forecast
from potstill.views.show_forecast import forecast_lines, forecast_text, short_count, show_waiting
from potstill.views.terminal import make_console


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"requests": 1}, "1 request"),
        ({"requests": None}, "requests unknown"),
        ({"requests": 0}, "nothing to buy"),
        ({"requests": 0, "have": 1200}, "nothing to buy: 1,200 completions in the journal"),
        (
            {"requests": 12_000, "tokens": 2_140_000, "tokens_low": 1_900_000,
             "tokens_high": 2_400_000, "usd": 3.1},
            "12,000 requests, ~2.1M tokens (1.9–2.4M), ~$3.10",
        ),
        (
            {"requests": 20, "tokens": 980, "tokens_low": 900, "tokens_high": 1_100,
             "usd": 0.0042, "usd_low": 0.004, "usd_high": 1234.5},
            "20 requests, ~980 tokens (0.9–1.1k), ~$0.0042 (0.004–1,234.50)",
        ),
        (
            {"requests": 5, "have": 3, "usd": 0.0, "basis": "3 completions in the journal"},
            "5 requests, ~$0.00 [3 completions in the journal]",
        ),
        (
            {"requests": 5, "have": 3, "tokens": 40_000, "basis": "at most max_tokens each"},
            "5 requests, ~40k tokens; 3 completions in the journal [at most max_tokens each]",
        ),
    ],
)  # fmt: skip
def test_a_forecast_in_a_line(given: dict[str, Any], text: str) -> None:
    assert forecast_text(Forecast(**given).facts()) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1_000, "1.0k"), (850_000, "850k"), (2.14e6, "2.1M"), (3e9, "3.0B")],
)
def test_counts_are_short(value: float, text: str) -> None:
    assert short_count(value) == text


def test_a_step_that_asks_nobody_has_no_line() -> None:
    assert forecast_lines({"name": "load"}) == []
    assert forecast_lines({"forecast": None, "outlook": None}) == []


def test_what_waits_comes_with_the_command() -> None:
    stream = io.StringIO()
    show_waiting(make_console(stream), {"traces": ("problems", "hints")}, Path("r.yaml"))
    assert stream.getvalue().splitlines() == [
        "traces: waits for problems, hints",
        "  potstill run r.yaml --to problems  (and the same --work, --set, --limit)",
        "  potstill run r.yaml --to hints  (and the same --work, --set, --limit)",
    ]
