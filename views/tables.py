"""Tables of a run: what is finished (`status`), what would run (`plan`) and what came out.

Each takes plain facts, as `--json` prints them, and shows them on a console. Bars appear on a
terminal only; a pipe gets the numbers. Nothing is read from disk here, and a number that is not
known is `–`, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .show_forecast import forecast_lines
from .terminal import bar, count, number, one_line, percent, print_table, safe, size, value_text

STATE_STYLES = {
    "complete": ("✓", "green"),
    "cached": ("✓", "green"),
    "running": ("▸", "cyan"),
    "will run": ("▸", "cyan"),
    "stale": ("!", "yellow"),
    "missing": ("·", "dim"),
    "damaged": ("✗", "bold red"),
}
"""Mark and style by state; a state that is not listed is shown bare."""

NUM_HEADLINES = 3
HEADLINES = (
    "in", "read", "attempts", "accepted_share", "tokens_per_accepted", "accepted", "pass_rate",
    "left_out", "quarantined", "failed", "steps", "loss_first", "loss_last",
)  # fmt: skip
"""Metrics that say most of a step, if they are not 0; a step without any shows its first ones."""
WIDTH_FOR_EXTRAS = 90
"""Columns that a terminal needs before bars and folder names take some of them."""


def plain_table(*columns: str, right: Sequence[str] = (), folds: Sequence[str] = ()) -> Table:
    """A table without lines in which cells are never cut.

    Args:
        right: columns of numbers.
        folds: columns that may be broken over lines where the terminal is narrow.
    """
    table = Table(box=None, pad_edge=False, header_style="dim", show_header=any(columns))
    for column in columns:
        table.add_column(
            safe(one_line(column)),
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column not in folds,
            min_width=14 if column in folds else None,
        )
    return table


def headline(metrics: Mapping[str, Any]) -> str:
    """The few metrics worth a line: `pass@1 74.5 % ± 2.1`, else those of `HEADLINES`."""
    if "pass@1" in metrics:
        return f"pass@1 {_score(metrics)}"
    numbers = {name: _plain_number(value) for name, value in metrics.items() if name != "rows"}
    known = [name for name in HEADLINES if numbers.get(name)]
    shown = known or [name for name, value in numbers.items() if value is not None]
    return " · ".join(
        f"{one_line(name, 40)} {value_text(numbers[name])}" for name in shown[:NUM_HEADLINES]
    )


def _plain_number(value: Any) -> float | None:
    """A number as it is and counts by reason as their sum; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Mapping) and value and all(type(item) is int for item in value.values()):
        return int(sum(value.values()))
    return value if isinstance(value, (int, float)) else None


def show_status(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Steps with their state, rows, size and headline metrics.

    Args:
        rows: `name`, `kind`, `state`, `rows`, `metrics`, `path` (absolute) and `size_bytes` of
            each step, in the order of the graph. On a terminal the paths' common parent is said
            once, below; into a pipe each is written out.
    """
    folders = {str(Path(row["path"]).parent) for row in rows}
    common = folders.pop() if len(folders) == 1 and console.is_terminal else None
    paths = ["path"] if console.width >= WIDTH_FOR_EXTRAS else []
    titles = ("step", "kind", "state", "rows", "size", "metrics", *paths)
    table = plain_table(*titles, right=("rows", "size"), folds=("metrics",))
    for row in rows:
        path = "" if row["state"] == "missing" else row["path"]
        table.add_row(
            safe(one_line(row["name"]), "bold"),
            safe(one_line(row["kind"])),
            _state(row["state"]),
            count(row["rows"]),
            size(row["size_bytes"]),
            safe(headline(row["metrics"])),
            *(safe(one_line(Path(path).name if common else path), "dim") for _ in paths),
        )
    print_table(console, table)
    if common:
        console.print(safe(f"\nbelow {one_line(common)}/", "dim"), soft_wrap=True)


def show_plan(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Steps with what would happen to them and why.

    Args:
        rows: `name`, `kind`, `state`, `why` (lines) and `address`, in order. A `complete` step is
            shown as cached and a `missing` one as one that will run. `forecast` and `outlook` of
            a step that asks a model are told below why it runs.
    """
    table = plain_table("step", "kind", "state", "address", "why", folds=("why",))
    words = {"complete": "cached", "missing": "will run"}
    states = [words.get(row["state"], row["state"]) for row in rows]
    for row, state in zip(rows, states, strict=True):
        table.add_row(
            safe(one_line(row["name"]), "bold"),
            safe(one_line(row["kind"])),
            _state(state),
            safe(one_line(row["address"]), "dim"),
            safe("\n".join([*row["why"], *forecast_lines(row)])),
        )
    print_table(console, table)
    waiting = sum(state != "cached" for state in states)
    total = f"{waiting} of {len(rows)} steps will run" if waiting else "Nothing to do"
    console.print(safe(f"\n{total}", "bold"))


def results_facts(evaluations: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each evaluation, `after_X` behind `before_X` and with its gain.

    The gain is in points of pass@1; its standard error takes the two for independent, which is
    on the wide side because both saw the same problems.
    """
    rows = []
    for name in _paired_order(evaluations):
        metrics = evaluations[name]
        before = evaluations.get(f"before_{name.removeprefix('after_')}", {})
        gain, gain_se = _gain(before, metrics) if name.startswith("after_") else (None, None)
        rows.append({"step": name, "gain": gain, "gain_se": gain_se, "metrics": dict(metrics)})
    return rows


def show_results(console: Console, evaluations: Mapping[str, Mapping[str, Any]]) -> None:
    """The before/after table: pass@1 with its standard error, gains, rates and mean lengths.

    Args:
        evaluations: metrics of the evaluate steps by name; `pass@1` and `rate/<filter>` are
            fractions or None.
    """
    rows = results_facts(evaluations)
    if not rows:
        return
    rates = [name for name in _rates(rows) if not _repeats_score(rows, name)]
    optional = [key for key in _OPTIONAL if any(row["metrics"].get(key) for row in rows)]
    gains = ["gain"] if any(row["gain"] is not None for row in rows) else []
    pictures = [""] if console.is_terminal and console.width >= WIDTH_FOR_EXTRAS else []
    numbers = ["pass@1", *gains, *(key.removeprefix("rate/") for key in rates), *optional]
    titles = [_OPTIONAL.get(title, title) for title in numbers]
    table = plain_table("evaluation", titles[0], *pictures, *titles[1:], right=titles)
    for row in rows:
        metrics = row["metrics"]
        picture = (
            [Text(bar(metrics.get("pass@1") or 0.0, 16).ljust(16), "cyan")] if pictures else []
        )
        table.add_row(
            safe(one_line(row["step"]), "bold"),
            _score(metrics),
            *picture,
            *([_gain_text(row)] if gains else []),
            *(percent(metrics.get(key)) for key in rates),
            *("–" if metrics.get(key) is None else number(metrics[key]) for key in optional),
        )
    print_table(console, table)


_OPTIONAL = {"mean_completion_tokens": "tokens", "unjudged": "unjudged"}
"""Metrics shown where any evaluation has one other than 0, with the column's title."""


def _rates(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for row in rows for name in row["metrics"] if name.startswith("rate/")})


def _repeats_score(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a rate is pass@1 by another name: that of the filter which decides it."""
    pairs = ((row["metrics"].get(name), row["metrics"].get("pass@1")) for row in rows)
    return all(
        rate is not None and score is not None and math.isclose(rate, score, abs_tol=1e-9)
        for rate, score in pairs
    )


def _paired_order(names: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        partner = f"before_{name.removeprefix('after_')}"
        if name.startswith("after_") and partner in names:
            continue
        yield name
        after = f"after_{name.removeprefix('before_')}"
        if name.startswith("before_") and after in names:
            yield after


def _gain(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[float | None, float | None]:
    was, now = before.get("pass@1"), after.get("pass@1")
    if was is None or now is None:
        return None, None
    was_se, now_se = before.get("pass@1_se"), after.get("pass@1_se")
    if was_se is None or now_se is None:
        return 100 * (now - was), None
    return 100 * (now - was), 100 * math.hypot(was_se, now_se)


def _gain_text(row: Mapping[str, Any]) -> Text:
    if row["gain"] is None:
        return Text("")
    error = "" if row["gain_se"] is None else f" ± {row['gain_se']:.1f}"
    return Text(f"{row['gain']:+.1f}{error}", "green" if row["gain"] > 0 else "red")


def _score(metrics: Mapping[str, Any]) -> str:
    error = metrics.get("pass@1_se")
    return percent(metrics.get("pass@1")) + ("" if error is None else f" ± {100 * error:.1f}")


def _state(state: str) -> Text:
    mark, style = STATE_STYLES.get(state, ("", ""))
    return safe(f"{mark} {state}".strip(), style)
