"""Drawing a life: what it came to, the sample, then what each step did to it.

A long completion is shown by its beginning and end, with how much lies between: the steps are what
is asked for, and `inspect --id` shows texts whole. A problem's attempts are in
`show_why_attempts.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from ..pipeline.sample import SAMPLE_SCHEMA
from .show_rows import show_labelled, show_sample
from .show_why_attempts import show_attempts
from .show_why_events import event_lines
from .tables import plain_table
from .terminal import counted, one_line, print_table, safe, value_text
from .why_conclusion import Namer

if TYPE_CHECKING:
    from .why import Life

SHOWN_OF_A_TEXT: Final = 900
"""Characters of a completion that are shown, two thirds of them from its beginning."""
_STYLES: Final = {"used": "green", "left_out": "red", "waiting": "yellow"}


def show_why(console: Console, life: Life) -> None:
    """The life of one sample, problem or row, on a console."""
    head = safe(f"{life.what} {one_line(life.id)}", "bold")
    if life.what == "sample":
        head.append(f"  of problem {one_line(life.prompt_id)}", "dim")
    console.print(head)
    console.print(safe(one_line(life.conclusion), f"bold {_STYLES[life.outcome]}"))
    for leak in life.leaks:
        warning = f"leak: {leak['evaluation']} asks about it, {leak['training']} was trained on it"
        console.print(safe(warning, "bold yellow"))
    console.print()
    if life.what == "row":
        for column, value in life.row.items():
            show_labelled(console, column, value if isinstance(value, str) else value_text(value))
        return
    (_show_sample if life.what == "sample" else _show_problem)(console, life)


def _show_sample(console: Console, life: Life) -> None:
    row = _columns(life)
    show_sample(console, {**row, "completion": excerpt(row["completion"])})
    _show_timeline(console, [*life.origins, *_later(life.events)])
    _show_equal(console, life.equal)


def _show_problem(console: Console, life: Life) -> None:
    show_sample(console, {**_columns(life), "completion": None, "generation": None})
    asked_with = [e for each in life.samples if not each["completed"] for e in each["events"]]
    _show_timeline(console, [*life.origins, *_later(asked_with)])
    told = [*life.origins, *(e for each in life.samples for e in each["events"])]
    show_attempts(console, life, Namer(told))


def _columns(life: Life) -> dict[str, Any]:
    """Those of every sample; what steps wrote beside them is told in their lines."""
    return {column: life.row[column] for column in SAMPLE_SCHEMA.names}


def _later(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without what `origins` tell."""
    return [e for e in events if e["what"] != "holds" or e["kind"] not in ("load", "reuse")]


def excerpt(text: str) -> str:
    """The beginning and the end of a long text, and how much is between."""
    if len(text) <= SHOWN_OF_A_TEXT:
        return text
    end = SHOWN_OF_A_TEXT // 3
    left = len(text) - SHOWN_OF_A_TEXT
    middle = f"\n… {left:,} characters more: potstill inspect STEP --id ID …\n"
    return f"{text[: SHOWN_OF_A_TEXT - end]}{middle}{text[-end:]}"


def _show_timeline(console: Console, events: Sequence[Mapping[str, Any]]) -> None:
    """Step by step, recipe by recipe; each is named once, beside the first thing it did."""
    table = plain_table("", "", folds=("",))
    by_step: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        by_step.setdefault(event["step"], []).append(event)
    recipes = dict.fromkeys(step.partition("/")[0] for step in by_step)
    for recipe in recipes:
        if len(recipes) > 1:
            table.add_row(safe(f"{one_line(recipe)}/", "dim"), "")
        for step, own in by_step.items():
            run, _, name = step.partition("/")
            for place, line in enumerate(event_lines(own) if run == recipe else ()):
                table.add_row(safe("" if place else one_line(name), "bold"), line)
    console.print()
    print_table(console, table)


def _show_equal(console: Console, equal: Sequence[str]) -> None:
    if equal:
        ids = ", ".join(one_line(each) for each in equal[:5])
        more = f" and {counted(len(equal) - 5, 'other')}" if len(equal) > 5 else ""
        console.print(safe(f"\nthe same completion as {ids}{more}", "dim"))
