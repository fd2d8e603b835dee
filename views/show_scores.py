"""Drawing metrics that were compared: values, their noise, and the difference from the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from .show_columns import Line, show_lines, show_title
from .terminal import number, one_line, percent, safe

NAME_LENGTH = 28


def show_metrics(console: Console, labels: Sequence[str], found: Mapping[str, Any]) -> None:
    """Metrics of evaluations or other steps, with what is beyond noise marked."""
    show_title(console, "metrics")
    lines = [
        _line([safe(one_line(name, 60))], name, metric) for name, metric in found["metrics"].items()
    ]
    show_lines(console, [""], labels, lines)
    if any(any(metric["beyond_noise"]) for metric in found["metrics"].values()):
        told = "* more than 1.96 standard errors: beyond noise at 95 %"
        console.print(safe(told, "dim"))
    if found.get("same_problems") is False:
        told = "the problems are not the same: a difference may be theirs"
        console.print(safe(told, "yellow"))


def show_runs(console: Console, labels: Sequence[str], steps: Mapping[str, Any]) -> None:
    """The steps of runs by their headline metrics."""
    console.print()
    lines = [line for name, step in steps.items() for line in _lines_of(name, step)]
    show_lines(console, ["step", "kind", "metric"], labels, lines)


def _lines_of(name: str, step: Mapping[str, Any]) -> list[Line]:
    kind = " / ".join(dict.fromkeys(each or "–" for each in step["kinds"]))
    heads = [safe(one_line(name, NAME_LENGTH), "bold"), safe(kind, "dim")]
    if step["equal"] or not step["metrics"]:
        told = "the same in every byte" if step["equal"] else "no metrics to compare"
        return [Line([*heads, safe(told, "dim")], [])]
    return [
        _line([*heads, safe(metric)], metric, found) for metric, found in step["metrics"].items()
    ]


def _line(heads: Sequence[Text], name: str, metric: Mapping[str, Any]) -> Line:
    is_share = name == "pass@1" or name.startswith("rate/")
    cells = [
        Text(_value(value, error, is_share))
        for value, error in zip(metric["values"], metric["standard_errors"], strict=True)
    ]
    return Line(heads, cells, _difference(metric, is_share) if len(cells) == 2 else None)


def _value(value: float | None, error: float | None, is_share: bool) -> str:
    if value is None:
        return "–"
    if not is_share:
        return number(value) + ("" if error is None else f" ± {number(error)}")
    return percent(value) + ("" if error is None else f" ± {100 * error:.1f}")


def _difference(metric: Mapping[str, Any], is_share: bool) -> Text:
    """`+3.1 ± 1.2 *`: points of shares, else plain numbers."""
    moved, error = metric["differences"][1], metric["difference_errors"][1]
    if moved is None:
        return Text("–")
    told = f"{100 * moved:+.1f}" if is_share else f"{'+' if moved > 0 else ''}{number(moved)}"
    if error is not None:
        told += f" ± {100 * error if is_share else error:.3g}"
    beyond = metric["beyond_noise"][1]
    return Text(f"{told} *" if beyond else told, "bold" if beyond else "" if moved else "dim")
