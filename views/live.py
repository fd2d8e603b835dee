"""A run as it happens: one line per finished step, a moving bar on a terminal, calm lines in a log.

`Live` is the listener of the runner: it is called with each event, in the runner's process, and
keeps no state that a run would need. Both forms show the same facts: done/total, percent, rate,
time left and what the step says beside it. A log gets a progress line only after 10 s, or after
10 % more of a step that has lasted; rates and times left come from rich in both.

    with Live(console) as live:
        run(plan, listener=live)

Every string of an event is sanitised here: notes and facts may quote a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from .tables import headline
from .terminal import counted, duration, is_interactive, number, one_line, safe, value_text

SECONDS_BETWEEN_LINES = 10.0
SHARE_BETWEEN_LINES = 0.10
SECONDS_BEFORE_SHARE = 2.0
"""A tenth alone makes a line only this long after the last one: fast steps fill no log."""

SECONDS_OF_RATE = 300.0
"""The rate is that of the last five minutes: rich's 30 s would forget slow training steps."""


class Live:
    """Draws the events of a run on `console`; usable as a context manager, silent after `close`."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._interactive = is_interactive(console)
        # A disabled Progress draws nothing but still measures rates and times left.
        self._progress = Progress(
            *_columns(),
            console=console,
            get_time=clock,
            refresh_per_second=4,
            speed_estimate_period=SECONDS_OF_RATE,
            transient=True,
            expand=True,
            disable=not self._interactive,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last_line: dict[str, tuple[float, float]] = {}
        self._ran: list[str] = []
        self._cached: list[str] = []
        self._width = 0

    def __enter__(self) -> Live:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the screen and show the cursor again."""
        self._progress.stop()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show one event; kinds that are not known here are passed over."""
        draw = getattr(self, f"_on_{event['event']}", None)
        if draw is not None:
            draw(event)

    def _on_plan(self, event: Mapping[str, Any]) -> None:
        self._width = max((len(one_line(name)) for name in event["steps"]), default=0)

    def _on_step_started(self, event: Mapping[str, Any]) -> None:
        name = one_line(event["step"])
        self._forget(event["step"])
        self._tasks[event["step"]] = self._progress.add_task(name, total=None, facts="starting")
        self._last_line[event["step"]] = (self._clock(), 0.0)
        reason = event.get("reason")
        self._line("▸", "cyan", event, f"{event['kind']}{': ' if reason else ''}{reason or ''}")

    def _on_progress(self, event: Mapping[str, Any]) -> None:
        step = event["step"]
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(one_line(step), total=None, facts="")
            self._last_line[step] = (self._clock(), 0.0)
        task = self._progress.tasks[self._progress.task_ids.index(self._tasks[step])]
        if event["done"] < task.completed:  # another phase of the step: its rate is its own
            self._progress.reset(task.id)
            self._last_line[step] = (self._clock(), 0.0)
        task.total = event["total"]  # update(total=) would forget the rate measured so far
        self._progress.update(
            task.id, completed=event["done"], facts=facts_text(event.get("facts") or {})
        )
        if not self._interactive and self._is_due(step, task):
            self._line("·", "", event, progress_text(task))

    def _on_note(self, event: Mapping[str, Any]) -> None:
        self._line("!", "yellow", event, event["text"])

    def _on_step_cached(self, event: Mapping[str, Any]) -> None:
        self._cached.append(event["step"])
        self._line("✓", "green", event, "cached", style="dim")

    def _on_step_done(self, event: Mapping[str, Any]) -> None:
        self._forget(event["step"])
        self._ran.append(event["step"])
        rows = event.get("rows")
        facts = [
            "" if rows is None else counted(rows, "row"),
            headline(event.get("metrics") or {}),
            duration(event.get("seconds")),
        ]
        self._line("✓", "green", event, " · ".join(fact for fact in facts if fact))

    def _on_step_failed(self, event: Mapping[str, Any]) -> None:
        self._forget(event["step"])
        self._line("✗", "bold red", event, "failed")  # the error itself says why, and once

    def _on_run_done(self, event: Mapping[str, Any]) -> None:
        if not self._ran:
            text = f"Nothing to do: all {len(self._cached)} steps are finished"
        else:
            text = f"Done: {counted(len(self._ran), 'step')} run, {len(self._cached)} cached"
        self._print(safe(f"{text} ({duration(event.get('seconds'))})", "bold"))

    def _forget(self, step: str) -> None:
        if step in self._tasks:
            self._progress.remove_task(self._tasks.pop(step))

    def _is_due(self, step: str, task: Task) -> bool:
        now, share = self._clock(), task.completed / task.total if task.total else 0.0
        last_time, last_share = self._last_line[step]
        waited = now - last_time
        enough = share - last_share >= SHARE_BETWEEN_LINES and waited >= SECONDS_BEFORE_SHARE
        if waited < SECONDS_BETWEEN_LINES and not enough:
            return False
        self._last_line[step] = (now, share)
        return True

    def _line(
        self, mark: str, mark_style: str, event: Mapping[str, Any], text: str, style: str = ""
    ) -> None:
        name = one_line(event["step"]).ljust(self._width)
        self._print(
            Text.assemble((mark, mark_style), " ", (name, "bold"), "  ", (one_line(text), style))
        )

    def _print(self, text: Text) -> None:
        self._progress.console.print(text, soft_wrap=not self._interactive)


def facts_text(facts: Mapping[str, Any]) -> str:
    """`accepted 0.71 · tokens 120,233`: what a step says beside its count, on one line."""
    return " · ".join(f"{one_line(key, 40)} {value_text(value)}" for key, value in facts.items())


def progress_text(task: Task) -> str:
    """`812/1,500 · 54 % · 102/s · 7 s left · accepted 0.71` as far as it is known."""
    parts = []
    if task.completed or task.total:
        total = "" if task.total is None else f"/{number(task.total)}"
        parts.append(f"{number(task.completed)}{total}")
    if task.total:
        parts.append(f"{min(100, int(100 * task.completed / task.total))} %")
    if task.speed:
        parts.append(rate_text(task.speed))
    if task.total and not task.finished and task.time_remaining is not None:
        parts.append(f"{duration(task.time_remaining)} left")
    if task.fields["facts"]:
        parts.append(task.fields["facts"])
    return " · ".join(parts)


def rate_text(per_second: float) -> str:
    """`102/s`, `47/min` or `12/h`: the first unit in which it is at least one."""
    for factor, unit in ((1, "s"), (60, "min")):
        if per_second * factor >= 1:
            return f"{number(round(per_second * factor, 1))}/{unit}"
    return f"{number(round(per_second * 3600, 1))}/h"


class _Said(ProgressColumn):
    """The same text as in a log, beside the bar."""

    def render(self, task: Task) -> Text:
        return Text(progress_text(task), no_wrap=True, overflow="ellipsis")


class _Name(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(task.description, "bold")


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        _Name(Column(no_wrap=True, min_width=8)),
        BarColumn(bar_width=16, table_column=Column(no_wrap=True, min_width=16)),
        _Said(Column(ratio=1, no_wrap=True)),
    )
