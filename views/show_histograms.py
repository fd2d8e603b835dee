"""Drawing histograms: one line of bars for each, or a line for each bin.

Bars appear on a terminal only; a pipe gets the same numbers without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from .tables import plain_table
from .terminal import bar, count, number, one_line, percent, print_table, safe

NUM_IN_FULL = 6
"""Up to so many histograms are drawn bin by bin."""
_LEVELS = "▁▂▃▄▅▆▇█"
_FIGURES = {"median": "median", "mean": "mean", "p95": "95 %", "most": "most"}


def show_histograms(console: Console, found: Mapping[str, Mapping[str, Any]], full: bool) -> None:
    """Figures of each quantity by name, with its unit where it has one.

    Args:
        full: bin by bin, if they are not too many.
    """
    if full and len(found) <= NUM_IN_FULL:
        for name, figures in found.items():
            _show_bins(console, name, figures)
        return
    gaps = ["unknown"] if any(figures["unknown"] for figures in found.values()) else []
    pictures = [""] if console.is_terminal else []
    titles = [*_FIGURES.values(), *gaps]
    table = plain_table("", *titles, *pictures, right=titles)
    for name, figures in found.items():
        rows = [entry["rows"] for entry in figures["bins"]]
        table.add_row(
            _label(name, figures),
            *(_figure(figures.get(key)) for key in _FIGURES),
            *([count(figures["unknown"])] if gaps else []),
            *(Text(heights(rows), "cyan") for _ in pictures),
        )
    print_table(console, table, pictures=bool(pictures))


def heights(rows: Sequence[int]) -> str:
    """A character for each bin, as high as its share of the fullest; a space for an empty one."""
    most = max(rows, default=0)
    return "".join(_LEVELS[(len(_LEVELS) * n - 1) // most] if n else " " for n in rows)


def _show_bins(console: Console, name: str, figures: Mapping[str, Any]) -> None:
    line = _label(name, figures)
    told = [f"{title} {_figure(figures.get(key))}" for key, title in _FIGURES.items()]
    told += [f"unknown {count(figures['unknown'])}"] if figures["unknown"] else []
    line.append("  " + " · ".join(told), "dim")
    console.print(line, soft_wrap=not console.is_terminal)
    table = plain_table("", "", "", "", right=("",))
    table.columns[3].justify = "left"
    for entry in figures["bins"]:
        share = entry["rows"] / figures["known"]
        most = max(each["rows"] for each in figures["bins"])
        picture = bar(entry["rows"] / most, 24) if console.is_terminal else ""
        span = _span(entry, figures["whole"])
        table.add_row(span, count(entry["rows"]), percent(share), Text(picture, "cyan"))
    print_table(console, table, pictures=True)


def _span(entry: Mapping[str, Any], whole: bool) -> str:
    start, end = entry["from"], entry["to"]
    if whole and end == start + 1:
        return number(start)
    return f"{number(start)} –" if end is None else f"{number(start)} – {number(end)}"


def _label(name: str, figures: Mapping[str, Any]) -> Text:
    text = safe(one_line(name, 40))
    unit = figures.get("unit")
    return text.append(f" {unit}", "dim") if unit == "items" else text


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value)
