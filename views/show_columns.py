"""Several things compared: a column for each, or, where these do not fit, a line for each.

Nothing is cut to make it fit: on a narrow terminal what stood side by side stands one below the
other. Into a pipe it is always columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .tables import plain_table
from .terminal import one_line, print_table, safe, width_of

_INDENT = 2
_DIFFERENCE_WIDTH = 12
"""Kept free for a difference and the gaps, where labels stand one below the other."""


@dataclass(frozen=True)
class Line:
    """What is compared, and its value for each label; no values where the heads say it all."""

    heads: Sequence[Text]
    cells: Sequence[Text]
    difference: Text | None = None
    bars: Sequence[Text] = ()
    """A picture beside each value."""


def show_lines(
    console: Console, heads: Sequence[str], labels: Sequence[str], *choices: Sequence[Line]
) -> None:
    """The first of the choices whose columns fit, or the last one below each other.

    Args:
        heads: titles of the columns before the values.
        choices: the same lines, from the richest cells to the plainest.
    """
    for lines in choices:
        table = _side_by_side(heads, labels, lines)
        if width_of(console, table) <= console.width:
            print_table(console, table)
            return
    _one_below_the_other(console, labels, choices[-1])


def _side_by_side(heads: Sequence[str], labels: Sequence[str], lines: Sequence[Line]) -> Table:
    moved = ["difference"] if any(line.difference is not None for line in lines) else []
    bars = [""] if any(line.bars for line in lines) else []
    columns = [column for label in labels for column in (label, *bars)]
    table = plain_table(*heads, *columns, *moved, right=[*labels, *moved])
    for shown, line in zip(_without_repeats(lines), lines, strict=True):
        difference = [line.difference or Text()] if moved else []
        pairs = zip(line.cells, line.bars, strict=True) if line.bars else zip(line.cells)
        cells = [text for pair in pairs for text in pair]
        table.add_row(*shown, *cells, *(difference if line.cells else []))
    return table


def _without_repeats(lines: Sequence[Line]) -> Iterator[list[Text]]:
    """The heads of each line; those that stand above already are left empty, but for the last."""
    before: Sequence[Text] = ()
    for line in lines:
        same = 0
        while same < min(len(before), len(line.heads) - 1) and before[same] == line.heads[same]:
            same += 1
        yield [*([Text()] * same), *line.heads[same:]]
        before = line.heads


def _one_below_the_other(console: Console, labels: Sequence[str], lines: Sequence[Line]) -> None:
    names = [safe(label, "dim") for label in labels]
    value_width = max((cell.cell_len for line in lines for cell in line.cells), default=0)
    room = console.width - value_width - _DIFFERENCE_WIDTH
    label_width = max(min(max(name.cell_len for name in names), room), 8)
    for line in lines:
        console.print(Text(" · ").join(line.heads))
        if not line.cells:
            continue
        table = Table.grid(padding=(0, _INDENT), pad_edge=True)
        table.add_column(width=label_width + _INDENT, overflow="fold")
        table.add_column(min_width=value_width, justify="right")
        table.add_column(justify="right", no_wrap=True)
        for place, (name, cell) in enumerate(zip(names, line.cells, strict=True)):
            last = place == len(names) - 1
            table.add_row(name, cell, line.difference if last else None)
        print_table(console, table)


def show_values(
    console: Console,
    labels: Sequence[str],
    found: Mapping[str, Sequence[Any]],
    told: Callable[[Any], str],
) -> None:
    """A line for each name with a value for each label."""
    lines = [
        Line([safe(one_line(name, 60))], [safe(one_line(told(value), 60)) for value in values])
        for name, values in found.items()
    ]
    show_lines(console, [""], labels, lines)


def show_title(console: Console, text: str, beside: str = "") -> None:
    """A heading, with an empty line above, and what is to be said beside it."""
    line = safe(one_line(text), "bold")
    if beside:
        line.append(f"  {beside}", "dim")
    console.print()
    console.print(line)
