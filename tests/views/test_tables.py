"""Status, plan and results: what is known is shown, what is not known is a dash."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from potstill.views.tables import headline, results_facts, show_plan, show_results, show_status
from potstill.views.terminal import make_console

HOSTILE = "\x1b[31m[red]x[/red]\u202e\u2028"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(name: str, state: str, **more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name, "kind": "load", "state": state, "rows": None, "metrics": {},
        "path": f"/runs/quickstart/{name}-0123abcd", "size_bytes": None,
        "address": "0123abcd", "why": [],
    }  # fmt: skip
    return {**facts, **more}


def piped(show: Any, *arguments: Any) -> list[str]:
    stream = io.StringIO()
    show(make_console(stream), *arguments)
    assert "\x1b" not in stream.getvalue()
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


EVALUATIONS: dict[str, dict[str, Any]] = {
    "before_qwen": {
        "pass@1": 0.125,
        "pass@1_se": 0.03,
        "rate/format": 0.5,
        "mean_completion_tokens": 41.25,
    },
    "before_llama": {"pass@1": 0.25, "pass@1_se": None, "rate/format": None},
    "after_qwen": {"pass@1": 0.625, "pass@1_se": 0.04, "rate/format": 1.0, "rate/language": 0.9},
    "after_llama": {"pass@1": 0.125, "pass@1_se": 0.02, "rate/format": 0.75},
    "after_alone": {"pass@1": None, "pass@1_se": None},
    "teacher_score": {"pass@1": 0.75, "pass@1_se": 0.01, "unjudged": 2},
}


def test_results_pair_before_with_after() -> None:
    rows = results_facts(EVALUATIONS)
    assert [(row["step"], row["gain"], row["gain_se"]) for row in rows] == [
        ("before_qwen", None, None),
        ("after_qwen", 50.0, pytest.approx(100 * math.hypot(0.03, 0.04))),
        ("before_llama", None, None),
        ("after_llama", -12.5, None),
        ("after_alone", None, None),
        ("teacher_score", None, None),
    ]


def test_the_results_table() -> None:
    assert piped(show_results, EVALUATIONS) == [
        "evaluation pass@1 gain format language tokens unjudged",
        "before_qwen 12.5 % ± 3.0 50.0 % – 41.2 –",
        "after_qwen 62.5 % ± 4.0 +50.0 ± 5.0 100.0 % 90.0 % – –",
        "before_llama 25.0 % – – – –",
        "after_llama 12.5 % ± 2.0 -12.5 75.0 % – – –",
        "after_alone – – – – –",
        "teacher_score 75.0 % ± 1.0 – – – 2",
    ]
    assert piped(show_results, {}) == []
    assert piped(show_results, {"a": {"pass@1": 0.5, "rate/math": 0.5, "rate/x": 0.25}}) == [
        "evaluation pass@1 x",
        "a 50.0 % 25.0 %",
    ]
    assert piped(show_results, {"score": {"pass@1": 0.5}}) == ["evaluation pass@1", "score 50.0 %"]


def test_bars_on_a_wide_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for columns, drawn in (("120", True), ("60", False)):
        monkeypatch.setenv("COLUMNS", columns)
        stream = Terminal()
        show_results(make_console(stream), EVALUATIONS)
        assert ("█" in stream.getvalue()) is drawn
        assert "62.5 % ± 4.0" in stream.getvalue()


def test_status_into_a_pipe_has_absolute_paths() -> None:
    rows = [
        step("problems", "complete", rows=1500, size_bytes=12_345, metrics={"lines": 1502}),
        step("traces", "running"),
        step("verdicts", "missing"),
        step("odd", "of_a_later_version"),
    ]
    assert piped(show_status, rows) == [
        "step kind state rows size metrics path",
        "problems load ✓ complete 1,500 12.3 kB lines 1,502 /runs/quickstart/problems-0123abcd",
        "traces load ▸ running – – /runs/quickstart/traces-0123abcd",
        "verdicts load · missing – –",
        "odd load of_a_later_version – – /runs/quickstart/odd-0123abcd",
    ]


def test_status_on_a_terminal_says_the_folder_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    show_status(make_console(stream), [step("a", "complete"), step("b", "stale")])
    assert stream.getvalue().count("/runs/quickstart") == 1
    assert "a-0123abcd" in stream.getvalue()


def test_plan_says_what_will_run_and_why() -> None:
    rows = [
        step("problems", "complete"),
        step("traces", "missing", why=["filters.math.version 1 → 2", "input problems changed"]),
        step("qwen", "stale", why=["made from other inputs: traces"]),
    ]
    assert piped(show_plan, rows) == [
        "step kind state address why",
        "problems load ✓ cached 0123abcd",
        "traces load ▸ will run 0123abcd filters.math.version 1 → 2",
        "input problems changed",
        "qwen load ! stale 0123abcd made from other inputs: traces",
        "",
        "2 of 3 steps will run",
    ]
    assert piped(show_plan, rows[:1])[-1] == "Nothing to do"


def test_plan_says_what_a_step_would_buy() -> None:
    forecast = {
        "requests": 12_000, "have": 0, "tokens": 2_100_000, "tokens_low": 1_900_000,
        "tokens_high": 2_400_000, "usd": 3.1, "usd_low": None, "usd_high": None, "basis": "",
    }  # fmt: skip
    rows = [
        step("traces", "missing", why=["not built yet"], forecast=forecast, outlook=None),
        step("more", "missing", forecast=None, outlook="can be forecast once traces is there"),
    ]
    assert piped(show_plan, rows)[1:4] == [
        "traces load ▸ will run 0123abcd not built yet",
        "12,000 requests, ~2.1M tokens (1.9–2.4M), ~$3.10",
        "more load ▸ will run 0123abcd can be forecast once traces is there",
    ]


def test_hostile_facts_act_on_nothing() -> None:
    rows = [step(HOSTILE, HOSTILE, kind=HOSTILE, metrics={HOSTILE: 1}, path=f"/a/{HOSTILE}")]
    for show in (show_status, show_plan):
        text = "\n".join(piped(show, [{**rows[0], "why": [HOSTILE]}]))
        assert "\\x1b[31m[red]x[/red]\\u202e\\u2028" in text
    assert piped(show_results, {HOSTILE: {"pass@1": 1.0, f"rate/{HOSTILE}": 1.0}})


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        ({}, ""),
        ({"rows": 5, "kept": True, "name": "x", "parts": {"a": {"rows": 1}}}, ""),
        ({"rows": 5, "in": 7, "left_out": {"math": 2, "loops": 1}}, "in 7 · left_out 3"),
        ({"attempts": 9, "accepted_share": None, "failed": {}, "x": 1}, "attempts 9"),
        (
            {"attempts": 9, "accepted": 4, "accepted_share": 0.5, "tokens_per_accepted": 80.0},
            "attempts 9 · accepted_share 0.5 · tokens_per_accepted 80",
        ),
        ({"a": 1, "b": 0.25, "c": 3, "d": 4}, "a 1 · b 0.25 · c 3"),
        ({"pass@1": None, "pass@1_se": None}, "pass@1 –"),
        ({"n": 9, "pass@1": 0.0, "pass@1_se": 0.0}, "pass@1 0.0 % ± 0.0"),
    ],
)
def test_headline(metrics: dict[str, Any], line: str) -> None:
    assert headline(metrics) == line
