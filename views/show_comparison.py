"""Drawing a comparison: a column for each member, differences from the first, bars for shares.

Bars and colours appear on a terminal only; a pipe gets the same numbers. What is not known is `–`,
never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console
from rich.text import Text

from .show_columns import Line, show_lines, show_title, show_values
from .show_scores import show_metrics, show_runs
from .tables import WIDTH_FOR_EXTRAS
from .terminal import bar, count, one_line, percent, safe, value_text

MOST_VALUES: Final = 12
"""Values of a group that are shown; `--json` has them all."""
NAME_LENGTH, BAR_LENGTH, DIGEST_LENGTH = 28, 10, 16
_UNITS: Final = {"samples": "samples", "tokens": "tokens", "loss_tokens": "loss tokens"}


class Compared(Protocol):
    """What is drawn: see `compare.Comparison`."""

    @property
    def what(self) -> str: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def paths(self) -> list[str]: ...
    @property
    def found(self) -> dict[str, Any]: ...


def show_comparison(console: Console, comparison: Compared) -> None:
    """Everything that was compared, on a console."""
    labels = _labels(comparison.names)
    for label, path in zip(labels, comparison.paths, strict=True):
        line = safe(label, "bold")
        line.append(f"  {comparison.what}  {one_line(path)}", "dim")
        console.print(line, soft_wrap=not console.is_terminal)
    found = comparison.found
    if "steps" in found:
        show_runs(console, labels, found["steps"])
    elif "groups" in found:
        _show_data(console, labels, found)
    else:
        show_metrics(console, labels, found)
    if found.get("settings"):
        show_title(console, "settings that differ")
        show_values(console, labels, found["settings"], _setting)


def _labels(names: Sequence[str]) -> list[str]:
    """Short names to head the columns: the last part of the paths that is different in all."""
    parts = [Path(name).parts for name in names]
    for place in range(1, min(map(len, parts), default=0) + 1):
        short = [one_line(each[-place], NAME_LENGTH) for each in parts]
        if len(set(short)) == len(short):
            return short
    short = [one_line(name, NAME_LENGTH) for name in names]
    if len(set(short)) == len(short):
        return short
    return [f"{number} {name}"[:NAME_LENGTH] for number, name in enumerate(short, start=1)]


def _setting(value: Any) -> str:
    """A digest is known by its beginning; `--json` has the whole."""
    text = value_text(value)
    is_digest = isinstance(value, str) and value.startswith("content:")
    return text[:DIGEST_LENGTH] if is_digest else text


def _show_data(console: Console, labels: Sequence[str], found: Mapping[str, Any]) -> None:
    known = [unit for unit in _UNITS if any(each is not None for each in found["total"][unit])]
    show_title(console, "in all")
    totals = {_UNITS[unit]: found["total"][unit] for unit in known}
    if rows := found["rows"]:
        everywhere = "in both" if len(labels) == 2 else "in all of them"
        totals |= {
            "different samples": rows["different"],
            "copies": rows["copies"],
            f"samples {everywhere}": [rows["in_all"]] * len(labels),
            "samples only there": rows["only_there"],
        }
    show_values(console, labels, totals, count)
    for name, values in found["groups"].items():
        beside = f"in {found['length_in']}" if name == "length" else ""
        show_title(console, f"by {name}", beside)
        _show_group(console, labels, values, known)
    if found["left_out"]:
        show_title(console, "rows that did not go on")
        show_values(console, labels, found["left_out"], count)
    if found["columns"]:
        show_title(console, "columns that differ")
        show_values(console, labels, found["columns"], lambda kind: kind or "–")


def _show_group(
    console: Console, labels: Sequence[str], values: Mapping[str, Any], units: Sequence[str]
) -> None:
    """A line for each value and unit: count and share of each member, and the difference."""
    most = sorted(values, key=lambda value: -_most(values[value]["samples"]["counts"]))
    shown = [value for value in values if value in set(most[:MOST_VALUES])]
    has_bars = console.is_terminal and console.width >= WIDTH_FOR_EXTRAS
    choices = [
        [
            Line(
                [safe(one_line(value, NAME_LENGTH), "bold"), safe(_UNITS[unit], "dim")],
                _cells(values[value][unit]),
                _points(values[value][unit]["differences"][1]) if len(labels) == 2 else None,
                _bars(values[value][unit]) if pictures else (),
            )
            for value in shown
            for unit in units
        ]
        for pictures in ((True, False) if has_bars else (False,))
    ]
    show_lines(console, ["", ""], labels, *choices)
    if len(values) > len(shown):
        rest = f"… and {len(values) - len(shown)} more with fewer samples; --json has them all"
        console.print(safe(rest, "dim"))


def _most(counts: Sequence[int | None]) -> int:
    return max(known for known in (0, *counts) if known is not None)


def _cells(found: Mapping[str, Any]) -> list[Text]:
    """Count and share of each member."""
    pairs = zip(found["counts"], found["shares"], strict=True)
    return [Text(f"{count(counts)}  {percent(share):>7}") for counts, share in pairs]


def _bars(found: Mapping[str, Any]) -> list[Text]:
    return [
        Text(bar(share or 0.0, BAR_LENGTH).ljust(BAR_LENGTH), "cyan") for share in found["shares"]
    ]


def _points(difference: float | None) -> Text:
    """A difference of shares in percentage points."""
    if difference is None:
        return Text("–")
    points = round(100 * difference, 1) + 0.0  # no −0.0
    return Text(f"{points:+.1f}" if points else "0.0", "" if points else "dim")
