"""Drawing how two datasets differ: counts, columns, then examples with what changed in them.

On a terminal what was removed is red and struck through and what was added green; into a pipe
they are `[-removed-]` and `{+added+}`, as git writes word differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from .show_columns import show_title
from .show_rows import is_sample, show_labelled
from .tables import plain_table
from .terminal import count, counted, one_line, print_table, safe, sanitise, to_json
from .text_changes import Piece, text_changes

if TYPE_CHECKING:
    from .diff import Differences

TEXT_LENGTH = 300
"""Characters of a column of a row that only one side has."""
_STYLES = {"removed": "red strike", "added": "green", "left_out": "dim"}
_MARKS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}
_TITLES = {"only_here": "only here", "only_there": "only there", "changed": "changed"}


def show_diff(console: Console, found: Differences) -> None:
    """Everything that differs, on a console."""
    for side in ("here", "there"):
        line = safe(side.ljust(6), "bold").append(f" {one_line(getattr(found, side))}", "dim")
        console.print(line.append(f"  {counted(found.rows[side], 'row')}"), soft_wrap=True)
    _show_counts(console, found)
    _show_columns(console, found.columns)
    for row in found.examples["changed"]:
        _show_changed(console, row)
    for side in ("only_here", "only_there"):
        for row in found.examples[side]:
            _show_row(console, _TITLES[side], row)


def _show_counts(console: Console, found: Differences) -> None:
    by = f"by {' and '.join(found.key)}" if found.key else "by their whole content"
    show_title(console, "rows", by)
    table = plain_table("", "rows", "columns", right=("rows",), folds=("columns",))
    table.show_header = False
    told = " · ".join(f"{one_line(n)} {count(rows)}" for n, rows in found.changed_columns.items())
    table.add_row("equal", count(found.equal), "")
    table.add_row("changed", count(found.changed), safe(told))
    table.add_row("only here", count(found.only_here), "")
    table.add_row("only there", count(found.only_there), "")
    print_table(console, table)


def _show_columns(console: Console, columns: Mapping[str, Mapping[str, Any]]) -> None:
    lines = [
        *(f"only here   {name} {kind}" for name, kind in columns["only_here"].items()),
        *(f"only there  {name} {kind}" for name, kind in columns["only_there"].items()),
        *(f"other type  {name} {a}, there {b}" for name, (a, b) in columns["other_type"].items()),
    ]
    if lines:
        show_title(console, "columns", "what differs is not compared in rows")
        console.print(safe("\n".join(map(one_line, lines))), soft_wrap=not console.is_terminal)


def _show_changed(console: Console, row: Mapping[str, Any]) -> None:
    key = " ".join(f"{name} {value}" for name, value in row["key"].items())
    show_title(console, f"changed  {key}")
    for name, sides in row["columns"].items():
        here, there = (_as_text(sides[side]) for side in ("here", "there"))
        show_labelled(console, name, _changes_text(console, here, there))


def _changes_text(console: Console, here: str, there: str) -> Text:
    text = Text()
    for piece in text_changes(sanitise(here), sanitise(there)):
        text.append_text(_piece_text(piece, marked=not console.is_terminal))
    return text


def _piece_text(piece: Piece, marked: bool) -> Text:
    if piece.what == "left_out":
        return Text(f" … {count(int(piece.text))} characters the same … ", "dim")
    before, after = _MARKS.get(piece.what, ("", "")) if marked else ("", "")
    return Text(f"{before}{piece.text}{after}", _STYLES.get(piece.what, ""))


def _show_row(console: Console, title: str, row: Mapping[str, Any]) -> None:
    show_title(console, f"{title}  {row['id']}" if is_sample(row) else title)
    values = {"prompt": row["prompt"], "completion": row["completion"]} if is_sample(row) else row
    for name, value in values.items():
        if value is not None:
            show_labelled(console, name, one_line(_as_text(value), TEXT_LENGTH))


def _as_text(value: Any) -> str:
    """A text as it is, the messages of a prompt one after another, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_message(turn) for turn in value):
        return "\n".join(f"{turn['role']}: {turn['content']}" for turn in value)
    return to_json(value)


def _is_message(turn: Any) -> bool:
    return isinstance(turn, dict) and set(turn) == {"role", "content"}
