"""Drawing what `verify` found: one line for each folder that is whole, all that differs in others.

Names and messages come from files that anyone may have written, and are shown as such. On a
terminal a bar with the time left is drawn while the files are read.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ..pipeline.verify import Checked, Verification
from .terminal import counted, is_interactive, one_line, safe, size


def show_verification(console: Console, found: Verification) -> None:
    """What was compared, what differs and what to do."""
    for checked in found.checked:
        _show(console, checked)
    for path in found.unfinished:
        console.print(safe(f"· {one_line(str(path))}  not finished", "dim"), soft_wrap=True)
    files = counted(sum(each.files for each in found.checked), "file")
    num_bytes = size(sum(each.bytes for each in found.checked))
    damaged = sum(bool(each.differences) for each in found.checked)
    if found.whole:
        console.print(safe(f"whole: {files}, {num_bytes}", "green"), soft_wrap=True)
    else:
        where = f"{damaged} of {counted(len(found.checked), 'folder')}"
        text = f"differences in {where}: {files}, {num_bytes}"
        console.print(safe(text, "bold red"), soft_wrap=True)


def _show(console: Console, checked: Checked) -> None:
    digest = "" if checked.digest is None else f", digest {checked.digest[:16]}"
    told = f"{counted(checked.files, 'file')}, {size(checked.bytes)}{digest}"
    mark, style = ("✗", "bold red") if checked.differences else ("✓", "green")
    line = safe(mark, style).append_text(safe(f" {one_line(str(checked.path))}"))
    console.print(line.append_text(safe(f"  {told}", "dim")), soft_wrap=True)
    for each in checked.differences:
        text = f"  {one_line(each.name, 200)}: {one_line(each.what)}"
        console.print(safe(text, "red"), soft_wrap=True)
    if checked.inputs_absent:
        names = ", ".join(map(one_line, checked.inputs_absent))
        console.print(safe(f"  not beside it, so not compared: {names}", "dim"), soft_wrap=True)
    if checked.differences:
        console.print(safe(f"  {one_line(checked.remedy)}"), soft_wrap=True)


class ReadingProgress(AbstractContextManager["ReadingProgress"]):
    """A bar over bytes on a terminal; nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        shown = is_interactive(console)
        self._progress = Progress(*columns, console=console, transient=True, disable=not shown)
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> ReadingProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int) -> None:
        """Listens to `verify`."""
        self._progress.update(self._task, completed=done, total=total)
