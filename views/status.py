"""What a work directory takes and what goes on in it: the lines below the table of `status`.

Sizes are of files as they lie there, several names of one file counted once. What cannot be known
is None: a journal that another program spoils stops no look at the steps. The table itself is in
`tables.py`; nothing is changed here.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ..models.journal import read_journal
from ..pipeline.artifact import MANIFEST
from ..pipeline.errors import RequestError
from ..pipeline.garbage import find_garbage
from ..pipeline.lock import RUNNING, running_step
from ..pipeline.peek import journal_of
from ..pipeline.plan import Plan
from ..pipeline.status import StepState, previous_artifacts, read_states
from ..pipeline.trash import bytes_in
from .tables import show_status
from .terminal import counted, duration, one_line, safe, size


@dataclass(frozen=True)
class Status:
    """The steps of a plan and the work directory they lie in."""

    steps: Sequence[Mapping[str, Any]]
    work: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """JSON values for `status --json`; paths are absolute, times seconds since 1970."""
        return {"steps": {step["name"]: dict(step) for step in self.steps}, "work": self.work}


def read_status(plan: Plan) -> Status:
    """Look at the steps and the work directory; a run may be going on meanwhile."""
    states = read_states(plan)
    bought = _bought(journal_of(plan))
    steps = [_step_facts(plan, state, bought) for state in states]
    garbage = find_garbage([plan], plan.work)
    finished = [step for step in steps if step["finished"] is not None]
    last = max(finished, key=lambda step: float(step["finished"]), default=None)
    work = {
        "path": str(plan.work),
        "bytes": bytes_in(plan.work) if plan.work.is_dir() else 0,
        "recipe_path": str(plan.run_dir),
        "recipe_bytes": bytes_in(plan.run_dir) if plan.run_dir.is_dir() else 0,
        "reclaimable_bytes": garbage.freed_bytes,
        "reclaimable": len(garbage.items),
        "free_bytes": _free(plan.work),
        "journal": _journal_facts(journal_of(plan), bought),
        "last_finished": last and {"step": last["name"], "finished": last["finished"]},
        "running": _running(plan, bought),
    }
    return Status(steps, work)


def _step_facts(plan: Plan, state: StepState, bought: Mapping[str, int] | None) -> dict[str, Any]:
    label = f"{plan.run_dir.name}/{state.node.name}"
    return {
        **state.facts(),
        "old_artifacts": len(previous_artifacts(plan, state.node)),
        "bought": None if bought is None else bought.get(label, 0),
    }


def _bought(journal: Path) -> dict[str, int] | None:
    """Completions by step; None where the journal cannot be read."""
    try:
        with read_journal(journal) as opened:
            return {} if opened is None else opened.counts()
    except (RequestError, sqlite3.Error):  # told as unknown; a run that needs it says why
        return None


def _journal_facts(journal: Path, bought: Mapping[str, int] | None) -> dict[str, Any] | None:
    files = [file for file in journal.parent.glob(f"{journal.name}*") if file.is_file()]
    if not files:
        return None
    return {
        "path": str(journal),
        "bytes": sum(map(bytes_in, files)),
        "completions": None if bought is None else sum(bought.values()),
    }


def _running(plan: Plan, bought: Mapping[str, int] | None) -> dict[str, Any] | None:
    """The step that a live run is at, and since when."""
    label = running_step(plan.work)
    if label is None:
        return None
    recipe, _, step = label.partition("/")
    folders = [each for each in (plan.work / recipe).glob(f"{step}-*") if _is_begun(each)]
    return {
        "step": label,
        "since": _changed(plan.work / RUNNING),
        "bytes": sum(map(bytes_in, folders)),
        "bought": None if bought is None else bought.get(label, 0),
    }


def _is_begun(folder: Path) -> bool:
    return folder.is_dir() and not (folder / MANIFEST).exists()


def _changed(file: Path) -> float | None:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # the run ended between two looks
        return None


def _free(work: Path) -> int:
    there = next(folder for folder in (work, *work.parents) if folder.exists())
    return shutil.disk_usage(there).free


def print_status(console: Console, status: Status) -> None:
    """The table, and below it what the work directory takes and what goes on."""
    show_status(console, status.steps)
    console.print()
    for line in work_lines(status, time.time()):
        console.print(safe(line), soft_wrap=True)


def work_lines(status: Status, now: float) -> list[str]:
    """The lines below the table, at a time in seconds since 1970."""
    work, lines = status.work, []
    if (running := work["running"]) is not None:
        lines.append(f"running      {_running_text(running, now)}")
    if (last := work["last_finished"]) is not None:
        ago = duration(max(0.0, now - last["finished"]))
        lines.append(f"finished     {one_line(last['step'])}, {ago} ago")
    parts = {
        name: sum(step[f"{name}_bytes"] for step in status.steps) for name in ("verdicts", "state")
    }
    within = [f"{name} {size(value)}" for name, value in parts.items() if value]
    lines.append(
        f"size         {size(work['recipe_bytes'])}{_bracketed(within)}, "
        f"{size(work['bytes'])} in all of {one_line(work['path'])}"
    )
    if work["reclaimable"]:
        old = [
            f"{counted(step['old_artifacts'], 'old artifact')} of {one_line(step['name'])}"
            for step in status.steps
            if step["old_artifacts"]
        ]
        freed = size(work["reclaimable_bytes"])
        lines.append(f"reclaimable  {freed}{_bracketed(old)}: `potstill gc` shows what would go")
    if (journal := work["journal"]) is not None:
        rows = journal["completions"]
        told = "cannot be read" if rows is None else counted(rows, "paid completion")
        lines.append(f"journal      {told}, {size(journal['bytes'])}")
    lines.append(f"disk         {size(work['free_bytes'])} free")
    return lines


def _running_text(running: Mapping[str, Any], now: float) -> str:
    since = running["since"]
    parts = [
        one_line(running["step"]),
        "" if since is None else f"for {duration(max(0.0, now - since))}",
        f"{size(running['bytes'])} written",
        f"{counted(running['bought'], 'completion')} bought" if running["bought"] else "",
    ]
    return ", ".join(filter(None, parts))


def _bracketed(parts: Sequence[str]) -> str:
    return f" ({', '.join(parts)})" if parts else ""
