"""Drawing a life: the sample with what each step did to it, or a problem with all its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .show_rows import evidence_text, show_labelled, show_sample, verdict_text
from .tables import plain_table
from .terminal import count, counted, one_line, print_table, safe

if TYPE_CHECKING:
    from .why import Life


def show_why(console: Console, life: Life) -> None:
    """The life of one sample or problem, on a console."""
    head = safe(f"{life.what} {one_line(life.id)}", "bold")
    if life.what == "sample":
        head.append(f"  of problem {one_line(life.row['prompt_id'])}", "dim")
        console.print(head)
        show_sample(console, life.row)
        _show_events(console, life.events)
        return
    console.print(head)
    show_sample(console, {**life.row, "completion": None, "generation": None})
    made = [sample for sample in life.samples if sample["completed"]]
    for sample in life.samples:
        if not sample["completed"]:
            held = ", ".join(e["step"] for e in sample["events"] if e["what"] == "holds")
            show_labelled(console, "problem in", held)
    _show_samples(console, made)
    if life.events:
        _show_events(console, life.events)


def _show_events(console: Console, events: Sequence[Mapping[str, Any]]) -> None:
    """Step by step; a step is named once, beside the first thing it did."""
    table = plain_table("", "", folds=("",))
    held = False
    for step in dict.fromkeys(event["step"] for event in events):
        own = [event for event in events if event["step"] == step]
        lines = [_event_text(event, held) for event in own if not event.get("same_as")]
        for first in dict.fromkeys(event["same_as"] for event in own if event.get("same_as")):
            names = ", ".join(e["filter"] for e in own if e.get("same_as") == first)
            lines.append(safe(f"{one_line(names)} taken over from {one_line(first)}", "dim"))
        for number, line in enumerate(lines):
            table.add_row(safe("" if number else one_line(step), "bold"), line)
        held = held or any(event["what"] == "holds" for event in own)
    console.print()
    print_table(console, table)


def _event_text(event: Mapping[str, Any], held_before: bool) -> Text:
    if event["what"] == "verdict":
        line = safe(f"{one_line(event['filter'])} ")
        line.append_text(verdict_text(event["score"], event["reason"]))
        line.append(evidence_text(event["evidence"]), "dim")
        return line
    if event["what"] == "holds":
        verb = "kept" if held_before else "written"
        times = "" if event["copies"] == 1 else f", {count(event['copies'])} copies"
        return safe(f"{verb}{times}")
    return safe(f"{event['what'].replace('_', ' ')}: {one_line(event['reason'])}", "bold red")


def _show_samples(console: Console, samples: Sequence[Mapping[str, Any]]) -> None:
    by_step: dict[str, list[Mapping[str, Any]]] = {}
    for sample in samples:
        by_step.setdefault(_first_step(sample), []).append(sample)
    for step, members in by_step.items():
        console.print()
        console.print(safe(one_line(step), "bold"), safe(counted(len(members), "sample"), "dim"))
        print_table(console, _samples_table(members))


def _samples_table(samples: Sequence[Mapping[str, Any]]) -> Table:
    filters = sorted({name for sample in samples for name in sample["verdicts"]})
    titles = ("sample", *filters, "tokens", "then")
    table = plain_table(*titles, right=("tokens",), folds=("then",))
    for sample in samples:
        made = sample["generation"] or {}
        table.add_row(
            safe(one_line(sample["id"])),
            *(_short_verdict(sample["verdicts"].get(name)) for name in filters),
            count(made.get("completion_tokens")),
            _fate(sample["events"]),
        )
    return table


def _short_verdict(verdict: Mapping[str, Any] | None) -> Text:
    """The score, with the reason where it is not 1."""
    if verdict is None:
        return Text("")
    good = verdict["score"] is not None and verdict["score"] >= 1
    return verdict_text(verdict["score"], "" if good else verdict["reason"])


def _fate(events: Sequence[Mapping[str, Any]]) -> Text:
    """Where it went after it was written: `in mixture ×3` or `left out of reasoning: math`."""
    line = Text()
    holds = [event for event in events if event["what"] == "holds"]
    for event in [event for event in events if event["what"] != "verdict"]:
        if event in holds[:1]:
            continue
        step = one_line(event["step"].rpartition("/")[2])
        separator = " · " if line else ""
        if event["what"] == "holds":
            times = "" if event["copies"] == 1 else f" ×{event['copies']}"
            line.append(f"{separator}in {step}{times}", "green")
        else:
            words = event["what"].replace("_", " ")
            of = f" of {step}" if words == "left out" else f" in {step}"
            line.append(f"{separator}{words}{of}: {one_line(event['reason'])}", "red")
    return line


def _first_step(sample: Mapping[str, Any]) -> str:
    return next((str(e["step"]) for e in sample["events"] if e["what"] == "holds"), "nowhere")
