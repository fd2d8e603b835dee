"""A forecast in a line: `12,000 requests, ~2.1M tokens (1.9–2.4M), ~$3.10`; and what waits.

Takes plain facts, as `plan --json` prints them. What is not known is not shown as 0: without
prices there are no dollars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from .terminal import counted, one_line, safe

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def forecast_text(forecast: Mapping[str, Any]) -> str:
    """The forecast of one step (`Forecast.facts()`) as one line."""
    have = forecast["have"]
    bought = f"{counted(have, 'completion')} in the journal" if have else ""
    if forecast["requests"] == 0:
        return f"nothing to buy{': ' if bought else ''}{bought}"
    requests = forecast["requests"]
    parts = ["requests unknown" if requests is None else counted(requests, "request")]
    parts += [_tokens(forecast)] if forecast["tokens"] is not None else []
    parts += [_dollars(forecast)] if forecast["usd"] is not None else []
    basis = f" [{one_line(forecast['basis'])}]" if forecast["basis"] else ""
    more = f"; {bought}" if bought and bought not in basis else ""
    return f"{', '.join(parts)}{more}{basis}"


def forecast_lines(row: Mapping[str, Any]) -> list[str]:
    """What `plan` says of a step's bill, below why it runs; empty for a step that asks nobody."""
    if row.get("forecast") is not None:
        return [forecast_text(row["forecast"])]
    return [row["outlook"]] if row.get("outlook") else []


def show_waiting(console: Console, waiting: Mapping[str, Sequence[str]], recipe: Path) -> None:
    """Steps whose prompt cannot be shown yet, with the commands that build what they wait for."""
    for step, needed in waiting.items():
        console.print(
            safe(f"{one_line(step)}: waits for {', '.join(map(one_line, needed))}", "bold")
        )
        for name in needed:
            command = f"potstill run {one_line(str(recipe))} --to {one_line(name)}"
            console.print(
                safe(f"  {command}  (and the same --work, --set, --limit)"), soft_wrap=True
            )


def short_count(value: float, unit: tuple[float, str] | None = None) -> str:
    """`2.1M`, `850k`, `999`: two digits that matter, in `unit` where one is given."""
    size, letter = unit or unit_of(value)
    scaled = value / size
    digits = 1 if letter and abs(scaled) < 9.95 else 0
    return f"{scaled:,.{digits}f}{letter}"


def unit_of(value: float) -> tuple[float, str]:
    """The largest unit in which a value is at least one."""
    return next(((size, letter) for size, letter in _UNITS if abs(value) >= size), (1.0, ""))


def _tokens(forecast: Mapping[str, Any]) -> str:
    tokens, low, high = (forecast[key] for key in ("tokens", "tokens_low", "tokens_high"))
    return f"~{short_count(tokens)} tokens{_interval(low, high)}"


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    unit = unit_of(high)
    return f" ({short_count(low, unit).removesuffix(unit[1])}–{short_count(high, unit)})"


def _dollars(forecast: Mapping[str, Any]) -> str:
    low, high = forecast["usd_low"], forecast["usd_high"]
    interval = "" if low is None or high is None else f" ({_amount(low)}–{_amount(high)})"
    return f"~${_amount(forecast['usd'])}{interval}"


def _amount(usd: float) -> str:
    """Cents, and more digits where they would hide all."""
    return f"{usd:,.2f}" if usd == 0 or usd >= 0.1 else f"{usd:.2g}"
