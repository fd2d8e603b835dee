"""Drawing what `load --show` understood: files, shape, columns, counts, bad rows, rows whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from .show_rows import show_row
from .tables import plain_table
from .terminal import count, counted, one_line, percent, print_table, safe, size

_MOST_FILES = 5
_TEXT = 120
"""Characters shown of a bad row."""


class Preview(Protocol):
    """What `stages.load_preview` returns."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        ...


def show_load(console: Console, found: Preview) -> None:
    """The whole on a console."""
    facts = found.facts()
    _show_files(console, facts)
    _show_meaning(console, facts)
    for title in ("thinking", "languages", "tasks"):
        _show_counts(console, title, facts[title])
    _show_bad(console, facts)
    for row in facts["shown"]:
        console.print()
        show_row(console, row, {})
    console.print(safe("\nin a recipe", "bold"))
    console.print(safe(f"  rows: {{{one_line(facts['recipe'])}}}"), soft_wrap=True)


def _show_files(console: Console, facts: Mapping[str, Any]) -> None:
    files = facts["files"]
    for file in files[:_MOST_FILES]:
        packed = f", {file['compression']}" if file["compression"] else ""
        console.print(
            safe(one_line(Path(file["path"]).name), "bold"),
            safe(f"{file['format']}{packed}, {size(file['bytes'])}", "dim"),
            soft_wrap=True,
        )
    if len(files) > _MOST_FILES:
        console.print(safe(f"and {counted(len(files) - _MOST_FILES, 'file')} more", "dim"))
    least = "" if facts["whole"] else "; only the first rows were read"
    console.print(
        safe(f"{counted(facts['rows'], 'row')}, {counted(facts['samples'], 'sample')}{least}")
    )
    console.print(safe(f"licence: {one_line(facts['license'] or 'unknown')}"))


def _show_meaning(console: Console, facts: Mapping[str, Any]) -> None:
    shape = facts["shape"]
    if shape is None:
        told = "columns are taken as named" if facts["columns"] else "no shape was recognised"
    else:
        told = f"{shape}: {facts['about']}"
    console.print(safe("\nshape  ", "bold"), safe(told), sep="")
    if facts["other_shapes"]:
        others = ", ".join(facts["other_shapes"])
        console.print(safe(f"       {others} would fit too; shape: NAME chooses", "dim"))
    if split := facts["split"]:
        parts = " and ".join(map(one_line, split["into"]))
        told = f"       {one_line(split['column'])} is cut at its last {one_line(split['at'])} "
        console.print(safe(f"{told}into {parts}", "dim"))
    table = plain_table("field", "from", folds=("from",))
    for name, origin in facts["columns"].items():
        table.add_row(safe(one_line(name)), safe(one_line(origin)))
    if facts["extra"]:
        table.add_row(safe("extra"), safe(one_line(", ".join(facts["extra"])), "dim"))
    console.print()
    print_table(console, table)


def _show_counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    total = sum(counts.values())
    told = " · ".join(
        f"{one_line(name, 40)} {count(rows)} ({percent(rows / total)})"
        for name, rows in counts.items()
    )
    console.print(safe(f"\n{title}  ", "bold"), safe(told), sep="", soft_wrap=True)


def _show_bad(console: Console, facts: Mapping[str, Any]) -> None:
    if not facts["quarantined"]:
        return
    _show_counts(console, "quarantined", facts["quarantined"])
    for row in facts["bad"]:
        where = f"  {one_line(row['file'])}:{row['line']}"
        console.print(
            safe(where, "yellow"), safe(row["reason"]), safe(one_line(row["text"], _TEXT), "dim")
        )
