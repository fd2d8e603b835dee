"""Drawing rows and verdicts: one sample whole, a verdict on a line. Shared by inspect and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .terminal import one_line, safe, sanitise, to_json, value_text

_FACTS = ("task", "language", "answer", "source")
_GENERATION = ("teacher", "index", "finish_reason", "completion_tokens")


def show_row(console: Console, row: Mapping[str, Any], verdicts: Mapping[str, Any]) -> None:
    """A row with nothing cut: prompt, completion and facts of a sample, else its columns."""
    if is_sample(row):
        console.print(safe(row["id"], "bold"), safe(f"problem {row['prompt_id']}", "dim"))
        show_sample(console, row)
    else:
        for name, value in row.items():
            show_labelled(console, name, _whole(value))
    for name, verdict in verdicts.items():
        line = verdict_text(verdict["score"], verdict["reason"])
        line.append(evidence_text(verdict["evidence"]), "dim")
        show_labelled(console, name, line)


def show_sample(console: Console, row: Mapping[str, Any]) -> None:
    """The texts of a sample, then what is known of it."""
    for message in row["prompt"]:
        show_labelled(console, message["role"], message["content"])
    if row["completion"] is not None:
        show_labelled(console, "completion", row["completion"], "cyan")
    facts = [f"{name} {one_line(row[name])}" for name in _FACTS if row.get(name)]
    if made := row.get("generation"):
        facts += [f"{name} {value_text(made[name])}" for name in _GENERATION if made.get(name)]
    show_labelled(console, "facts", " · ".join(facts), "dim")
    added = {name: value for name, value in row.items() if name not in _SHOWN}
    if row.get("extra") not in (None, "", "{}"):
        added["extra"] = row["extra"]
    for name, value in added.items():
        show_labelled(console, name, _whole(value), "dim")


def _whole(value: Any) -> str:
    """A value with nothing cut: texts and dates as they are, anything else as JSON."""
    if isinstance(value, (str, date, time, timedelta, Decimal)):
        return str(value)
    return to_json(value)


_SHOWN = {"id", "prompt_id", "prompt", "completion", *_FACTS, "generation", "extra"}


def is_sample(row: Mapping[str, Any]) -> bool:
    """Whether the row has the columns of a sample, and a list of messages as its prompt."""
    return {"id", "prompt_id", "prompt", "completion"} <= row.keys() and isinstance(
        row["prompt"], list
    )


def show_labelled(console: Console, label: str, text: str | Text, style: str = "") -> None:
    """A label and a text beside it, whole; on a terminal wrapped lines stay beside the label."""
    name = safe(one_line(label, 40).ljust(11), "dim")
    if isinstance(text, str):
        text = safe(text, style)
    if console.is_terminal:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(name, text)
        console.print(grid)
        return
    first, *rest = text.plain.split("\n")
    lines = [f"{name.plain} {first}", *(f"{'':12}{line}" for line in rest)]
    console.print(Text("\n".join(lines)), soft_wrap=True)


def verdict_text(score: float | None, reason: str) -> Text:
    """`1.00 correct` in green, `0.00 wrong` in red; `–` where nothing could be said."""
    if score is None:
        return safe(f"–    {one_line(reason)}", "magenta")
    style = "green" if score >= 1 else "red" if score <= 0 else "yellow"
    return safe(f"{score_text(score)} {one_line(reason)}", style)


def score_text(score: float | None) -> str:
    """Two decimals that never round up to 1.00 or down to 0.00; `–` where unknown."""
    if score is None:
        return "–"
    if 0 < score < 1:
        score = min(max(score, 0.01), 0.99)
    return f"{score:.2f}"


def evidence_text(evidence: Mapping[str, Any]) -> str:
    """Evidence as JSON behind a verdict; nothing where there is none."""
    return f"  {sanitise(to_json(evidence))}" if evidence else ""
