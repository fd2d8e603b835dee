"""Tables with a column for each of several things compared, and titles above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from .tables import plain_table
from .terminal import one_line, print_table, safe


def show_values(
    console: Console,
    labels: Sequence[str],
    found: Mapping[str, Sequence[Any]],
    told: Callable[[Any], str],
) -> None:
    """A line for each name with a value for each label."""
    table = plain_table("", *labels, right=labels)
    for name, values in found.items():
        texts = (one_line(told(value), 60) for value in values)
        table.add_row(safe(one_line(name, 60)), *map(safe, texts))
    print_table(console, table)


def show_title(console: Console, text: str, beside: str = "") -> None:
    """A heading, with an empty line above."""
    line = safe(one_line(text), "bold")
    if beside:
        line.append(f"  {beside}", "dim")
    console.print()
    console.print(line)
