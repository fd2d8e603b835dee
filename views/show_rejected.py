"""Drawing rows that were left out: reasons with bars, reasons by a column, examples with texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from .show_rows import is_sample, show_labelled
from .tables import plain_table
from .terminal import bar, count, one_line, percent, print_table, safe, value_text

EXAMPLE_LENGTH = 300
"""Characters of a rejected row's text that an example shows; `why` and `--json` show it whole."""
NUM_VALUES = 20
"""Values of a column that are shown; `--json` has all."""


def show_rejected(console: Console, rejected: Mapping[str, Any]) -> None:
    """The reasons of one kind of rejected rows, and what was asked for beside them."""
    show_reasons(console, rejected["reasons"])
    for column, table in rejected.get("by", {}).items():
        if "of_first" in rejected:
            console.print(f"of the first {count(rejected['of_first'])} rows:")
        _show_by(console, column, table)
    for reason, rows in rejected.get("examples", {}).items():
        for number, row in enumerate(rows):
            console.print()
            if not number:
                console.print(safe(one_line(reason), "yellow"))
            _show_example(console, row)


def show_reasons(console: Console, reasons: Mapping[str, int]) -> None:
    """Counts with their shares, and bars on a terminal."""
    total = sum(reasons.values())
    table = plain_table("", "rows", "share", "", right=("rows", "share"))
    table.show_header = False
    for reason, rows in reasons.items():
        picture = Text(bar(rows / total, 30) if console.is_terminal else "", "cyan")
        table.add_row(safe(one_line(reason)), count(rows), percent(rows / total), picture)
    print_table(console, table, pictures=True)


def _show_by(console: Console, column: str, counts: Mapping[str, Mapping[str, int]]) -> None:
    console.print()
    table = plain_table(column, "rows", "reasons", right=("rows",), folds=("reasons",))
    for value, reasons in list(counts.items())[:NUM_VALUES]:
        told = " · ".join(f"{one_line(reason)} {count(rows)}" for reason, rows in reasons.items())
        table.add_row(safe(one_line(value, 40)), count(sum(reasons.values())), safe(told))
    print_table(console, table)
    if len(counts) > NUM_VALUES:
        console.print(f"and {count(len(counts) - NUM_VALUES)} more; --json has all")


def _show_example(console: Console, row: Mapping[str, Any]) -> None:
    sample = row.get("sample")
    known = {"reason", "sample"} | ({"id"} if sample and is_sample(sample) else set())
    for name, value in row.items():
        if name not in known and value is not None:
            text = value if isinstance(value, str) else value_text(value)
            show_labelled(console, f"  {name}", one_line(text, EXAMPLE_LENGTH))
    if sample and is_sample(sample):
        asked = sample["prompt"][-1]["content"] if sample["prompt"] else ""
        show_labelled(console, "  id", sample["id"])
        show_labelled(console, "  prompt", one_line(asked, EXAMPLE_LENGTH))
        if sample["completion"] is not None:
            show_labelled(console, "  completion", one_line(sample["completion"], EXAMPLE_LENGTH))
