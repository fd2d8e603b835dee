"""The lint drawn: checks with counts, rows, and the tokens around each place."""

from __future__ import annotations

import io

from potstill.models.lint import Excerpt, Fault, Report
from potstill.models.token_text import Piece
from potstill.views.show_lint import LintProgress, show_lint
from potstill.views.terminal import make_console

HOSTILE = "\x1b]0;owned\x07[red]x[/red]\u202e"


def shown(report: Report) -> str:
    stream = io.StringIO()
    show_lint(make_console(stream), report)
    return stream.getvalue()


def fault(check: str, message: str = "told", length: int | None = None) -> Fault:
    pieces = (Piece(1, "a ", False), Piece(2, HOSTILE, False), Piece(3, "<|im_end|>", True))
    return Fault(check, "error", message, lambda: (Excerpt("trained", 4, 5, pieces),), length)


def test_a_finding_with_its_tokens() -> None:
    report = Report(rows=3, rendered=2, tokens=30, loss_tokens=12, longest=20)
    report.add(fault("ends_once", HOSTILE), "row1")
    assert shown(report).split("\n") == [
        "error  ends_once  1 row",
        "  row1: \\x1b]0;owned\\x07[red]x[/red]\\u202e",
        "trained     … a␣│»\\x1b]0;owned\\x07[red]x[/red]\\u202e«│⟦<|im_end|>⟧",
        "",
        "3 rows, 2 rendered: 30 tokens, 12 with loss, longest 20",
        "not clean: 1 error, 0 warnings, 0 notes",
        "",
    ]


def test_errors_first_and_notes_are_clean() -> None:
    report = Report()
    report.add(Fault("generation_markers", "note", "none"))
    assert report.clean
    assert "clean: 0 errors, 0 warnings, 1 note" in shown(report)
    report.add(Fault("server_stops", "warning", "nowhere"))
    report.add(Fault("no_eos", "error", "none"))
    assert not report.clean
    text = shown(report)
    assert text.index("no_eos") < text.index("server_stops") < text.index("generation_markers")


def test_many_rows() -> None:
    report = Report(show=2)
    for number in range(20):
        report.add(fault("prompt_masked"), f"r{number:02}")
        report.add(fault("too_long", length=100 + number), f"r{number:02}")
    text = shown(report)
    assert text.count("  r00: told") == 2
    assert "also: r02, r03, r04, r05, r06, r07, r08, r09 … (--json names all)" in text
    assert "r19 119" in text  # of the long ones all are told
    (kind, _) = report.facts()["findings"]
    assert (kind["count"], len(kind["rows"]), len(kind["examples"])) == (20, 20, 2)


def test_progress_is_silent_where_nothing_can_be_drawn_over() -> None:
    stream = io.StringIO()
    with LintProgress(make_console(stream)) as listen:
        listen({"event": "progress", "done": 200, "facts": {"findings": 1}})
    assert stream.getvalue() == ""
