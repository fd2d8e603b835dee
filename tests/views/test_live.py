"""The same events in a log and on a terminal; hostile notes forge no lines."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from potstill.views.live import Live, rate_text
from potstill.views.terminal import make_console


class Clock:
    """Time that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(done: float, total: float | None, **facts: Any) -> dict[str, Any]:
    return {"event": "progress", "step": "traces", "done": done, "total": total, "facts": facts}


STARTED = {"event": "step_started", "step": "traces", "kind": "generate", "reason": "not built yet"}


def play(events: list[tuple[float, dict[str, Any]]], stream: io.StringIO | None = None) -> str:
    """What is shown of events, each so many seconds after the one before."""
    clock, stream = Clock(), stream or io.StringIO()
    with Live(make_console(stream), clock) as live:
        for seconds, event in events:
            clock.now += seconds
            live(event)
    return stream.getvalue()


def test_a_run_as_a_log() -> None:
    shown = play(
        [
            (0, {"event": "plan", "steps": ["problems", "traces", "after"]}),
            (0, {"event": "step_cached", "step": "problems"}),
            (0, STARTED),
            (5, {"event": "note", "step": "traces", "text": "vLLM is not installed"}),
            (65, {
                "event": "step_done", "step": "traces", "rows": 3012, "seconds": 65.0, "path": "/x",
                "metrics": {"accepted_share": 0.7352, "cost": None, "failed": {"http_500": 1}},
            }),
            (0, {
                "event": "step_done", "step": "after", "rows": None, "seconds": 4.0, "path": "/x",
                "metrics": {"pass@1": 0.7451, "pass@1_se": 0.0211},
            }),
            (0, {"event": "run_done", "seconds": 303.0}),
        ]
    )  # fmt: skip
    assert shown.splitlines() == [
        "✓ problems  cached",
        "▸ traces    generate: not built yet",
        "! traces    vLLM is not installed",
        "✓ traces    3,012 rows · accepted_share 0.735 · failed 1 · 1 m 05 s",
        "✓ after     pass@1 74.5 % ± 2.1 · 4.0 s",
        "Done: 2 steps run, 1 cached (5 m 03 s)",
    ]


def test_progress_lines_say_how_far_how_fast_and_how_long() -> None:
    events = [(0.0, STARTED), (1.0, progress(0, 1000))]
    events += [(1.0, progress(10 * second, 1000, accepted=0.5)) for second in range(1, 41)]
    lines = [line for line in play(events).splitlines() if line.startswith("·")]
    assert lines == [
        "· traces  90/1,000 · 9 % · 10/s · 1 m 31 s left · accepted 0.5",
        "· traces  190/1,000 · 19 % · 10/s · 1 m 21 s left · accepted 0.5",
        "· traces  290/1,000 · 29 % · 10/s · 1 m 11 s left · accepted 0.5",
        "· traces  390/1,000 · 39 % · 10/s · 1 m 01 s left · accepted 0.5",
    ]


def test_a_fast_step_fills_no_log_and_a_tenth_makes_a_line() -> None:
    fast = [(0.001, progress(done, 1000)) for done in range(1000)]
    assert play([(0, STARTED), *fast]).count("\n") == 1
    tenths = [(3.0, progress(done, 100)) for done in range(0, 100, 12)]
    assert play([(0, STARTED), *tenths]).count("·") >= len(tenths) - 1


def test_no_total_no_percent_and_a_new_total_keeps_the_rate() -> None:
    unknown = play([(0, STARTED), (1, progress(1, None)), (15, progress(16, None))])
    assert unknown.splitlines()[-1] == "· traces  16 · 1/s"
    grown = play([(0, STARTED), (1, progress(1, 20)), (15, progress(16, 40))])
    assert grown.splitlines()[-1] == "· traces  16/40 · 40 % · 1/s · 24 s left"


def test_a_new_phase_has_a_rate_of_its_own() -> None:
    rendering = [(1, progress(1000 * n, 3000, phase="render")) for n in range(1, 4)]
    training = [(10, progress(n, 300, phase="train")) for n in range(1, 5)]
    last = play([(0, STARTED), *rendering, *training]).strip().split("\n")[-1]
    assert "4/300 · 1 % · 6/min · 49 m" in last


def test_nothing_to_do_is_said() -> None:
    cached = [(0.0, {"event": "step_cached", "step": name}) for name in ("a", "b")]
    shown = play([*cached, (0, {"event": "run_done", "seconds": 0.31})])
    assert shown.splitlines()[-1] == "Nothing to do: all 2 steps are finished (0.3 s)"


def test_a_failure_is_named_and_its_message_left_to_the_error() -> None:
    failed = {"event": "step_failed", "step": "traces", "message": "the disk is full"}
    assert play([(0, STARTED), (0, failed)]).splitlines()[-1] == "✗ traces  failed"


def test_an_unknown_event_is_passed_over() -> None:
    assert play([(0, {"event": "of_a_later_version", "step": "traces"})]) == ""


HOSTILE_TEXT = "\x1b]0;owned\x07[red]x[/red]\u202e\u2028\n✓ traces  done"
HOSTILE_EVENTS = [
    (0.0, {**STARTED, "reason": HOSTILE_TEXT}),
    (0.0, {"event": "note", "step": "traces", "text": HOSTILE_TEXT}),
    (1.0, progress(1, 9, **{HOSTILE_TEXT: HOSTILE_TEXT})),
    (20.0, progress(5, 9, **{HOSTILE_TEXT: HOSTILE_TEXT})),
    (0.0, {"event": "step_failed", "step": HOSTILE_TEXT, "message": HOSTILE_TEXT}),
    (0.0, {
        "event": "step_done", "step": "traces", "rows": 1, "seconds": 1.0, "path": HOSTILE_TEXT,
        "metrics": {HOSTILE_TEXT: 1.0},
    }),
]  # fmt: skip


def test_hostile_text_in_a_log_acts_on_nothing() -> None:
    shown = play(HOSTILE_EVENTS)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", shown)
    assert shown.count("\n") == 5
    assert "\n✓ traces  done" not in shown
    assert "[red]x[/red]" in shown


def test_hostile_text_on_a_terminal_acts_on_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    shown = play(HOSTILE_EVENTS, Terminal())
    ours = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)  # rich's own colours and cursor
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\u2028]", ours)
    assert "[red]x[/red]" in ours


def test_a_terminal_gets_a_bar_and_its_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    live = Live(make_console(stream), Clock())

    def stopped_run() -> None:
        with live:
            live(STARTED)
            live(progress(400, 1000, accepted=0.5))
            live._progress.refresh()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_run()
    shown = stream.getvalue()
    assert "━" in shown
    assert "400/1,000 · 40 % · accepted 0.5" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [(102.34, "102.3/s"), (1.0, "1/s"), (0.78, "46.8/min"), (0.005, "18/h"), (0.0001, "0.4/h")],
)
def test_rates_have_a_unit_that_reads_well(per_second: float, shown: str) -> None:
    assert rate_text(per_second) == shown
