"""Drawing what `lint` found: each check with its count, then the first rows and their tokens.

In an excerpt the token at the place of the fault stands in » «. Errors stop a training; warnings
are what another trainer or server would make of the template; notes do not count as findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ..models.lint import Excerpt, Found, Report
from ..models.lint.report import SEVERITIES
from .show_rows import show_labelled
from .terminal import counted, is_interactive, one_line, safe
from .token_marks import BETWEEN, token_text

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_IDS = 8
"""Further rows named in a line; --json names all."""


def show_lint(console: Console, report: Report) -> None:
    """The whole report on a console."""
    for severity in SEVERITIES:
        for found in report.of(severity):
            _show(console, found)
            console.print()
    kinds = [counted(len(report.of(severity)), severity) for severity in SEVERITIES]
    console.print(
        f"{counted(report.rows, 'row')}, {report.rendered:,} rendered: {report.tokens:,} tokens, "
        f"{report.loss_tokens:,} with loss, longest {report.longest:,}",
        soft_wrap=True,
    )
    verdict = safe("clean" if report.clean else "not clean", "green" if report.clean else "red")
    console.print(verdict.append(f": {', '.join(kinds)}", "dim"))


def _show(console: Console, found: Found) -> None:
    head = safe(found.severity, _STYLES[found.severity]).append(f"  {found.check}", "bold")
    if found.rows:
        head.append(f"  {counted(len(found.rows), 'row')}")
    console.print(head, soft_wrap=True)
    for example in found.examples:
        where = "model" if example.row is None else one_line(example.row)
        console.print(safe(f"  {where}: {one_line(example.message)}"), soft_wrap=True)
        for excerpt in example.excerpts:
            show_labelled(console, f"    {excerpt.of}", _tokens(excerpt))
    _show_others(console, found)


def _show_others(console: Console, found: Found) -> None:
    """Too long rows are all told, with their lengths; of other checks a few more ids."""
    shown = len(found.examples)
    if found.lengths:
        told = [f"{row} {length:,}" for row, length in zip(found.rows, found.lengths, strict=True)]
        named = f"tokens by row: {', '.join(map(one_line, told))}"
    elif len(found.rows) > shown:
        more = found.rows[shown : shown + _IDS]
        rest = "" if len(found.rows) <= shown + _IDS else " … (--json names all)"
        named = f"also: {', '.join(map(one_line, more))}{rest}"
    else:
        return
    console.print(safe(f"  {named}", "dim"), soft_wrap=True)


def _tokens(excerpt: Excerpt) -> Text:
    text = Text("… " if excerpt.start else "")
    for position, piece in enumerate(excerpt.pieces, excerpt.start):
        if position > excerpt.start:
            text.append(BETWEEN, "bright_black")
        here = position == excerpt.at
        shown = token_text(piece)
        text.append(f"»{shown}«" if here else shown, "bold magenta" if here else "")
    return text


class LintProgress(AbstractContextManager["LintProgress"]):
    """A line on a terminal while a long file goes by; nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._status = Status("reading", console=console) if is_interactive(console) else None

    def __enter__(self) -> LintProgress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Listens to the lint's `Progress`."""
        if self._status is not None and event["event"] == "progress":
            found = event["facts"]["findings"]
            self._status.update(f"{event['done']:,} rows, {counted(found, 'finding')}")
