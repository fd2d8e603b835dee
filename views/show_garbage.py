"""Drawing what `gc` would remove, or removed: each thing with why, its size and its age.

What it kept for another recipe and what potstill did not make stand below the table. Everything is
shown, however long: it is a list to be read before --yes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ..pipeline.garbage import Garbage
from ..pipeline.unneeded import Item
from .tables import plain_table
from .terminal import counted, duration, one_line, print_table, safe, sanitise, size


def show_garbage(console: Console, found: Garbage) -> None:
    """The table and what it comes to."""
    if found.items:
        _show_items(console, found)
    for title, items in (("kept", found.kept), ("left alone", found.unknown)):
        _show_others(console, title, found.work, items)
    if found.forgotten:
        entries = counted(len(found.forgotten), "remembered digest")
        console.print(f"{entries} of files that are gone", style="dim", soft_wrap=True)
    console.print(safe(_total(found), "bold"), soft_wrap=True)


def say_on_stderr(text: str) -> None:
    """What is waited for."""
    sys.stderr.write(f"{sanitise(text)}\n")


def _show_items(console: Console, found: Garbage) -> None:
    table = plain_table("path", "what", "why", "size", "age", right=("size", "age"), folds=("why",))
    now = time.time()
    for item in found.items:
        age = None if item.finished is None else max(0.0, now - item.finished)
        table.add_row(
            safe(_below(found.work, item.path), "bold"),
            item.kind,
            safe(one_line(item.why)),
            size(item.bytes),
            duration(age),
        )
    print_table(console, table)
    console.print()


def _show_others(console: Console, title: str, work: Path, items: Sequence[Item]) -> None:
    for item in items:
        text = f"{title}: {_below(work, item.path)} ({one_line(item.why)})"
        console.print(safe(text, "yellow"), soft_wrap=True)


def _below(work: Path, path: Path) -> str:
    return one_line(str(path.relative_to(work)))


def _total(found: Garbage) -> str:
    if not found.items:
        return "nothing to remove"
    what = f"{counted(len(found.items), 'thing')}, {size(found.freed_bytes)}"
    listed = sum(item.bytes for item in found.items)
    shared = listed - found.freed_bytes
    linked = f" ({size(shared)} more is shared with what stays)" if shared else ""
    if found.removed:
        return f"removed {what}{linked}"
    return f"would remove {what}{linked}; add --yes to do it"
