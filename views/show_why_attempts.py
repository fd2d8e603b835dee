"""Drawing what was asked about a problem: a line for each attempt, with its verdicts and its end.

Samples that no step asked for (rows of a file with completions) are listed below the step that
brought them. Verdicts that are all 1 are one word, so that what was missed stands out and a line
fits 80 columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .show_rows import verdict_text
from .tables import plain_table
from .terminal import count, counted, one_line, print_table, safe, value_text
from .why_conclusion import Namer

if TYPE_CHECKING:
    from .why import Life


def show_attempts(console: Console, life: Life, name: Namer) -> None:
    """All samples of a problem, by the step that made them."""
    samples = {each["id"]: each for each in life.samples if each["completed"]}
    asked = {asking["step"]: asking for asking in life.asked}
    by_step: dict[str, list[Mapping[str, Any]]] = {step: [] for step in asked}
    for each in samples.values():
        by_step.setdefault(_first_step(each), []).append({"id": each["id"]})
    for step, members in by_step.items():
        asking = asked.get(step)
        console.print()
        console.print(safe(one_line(name({"step": step})), "bold"), _said(asking, len(members)))
        attempts = asking["attempts"] if asking else members
        print_table(console, _table(attempts, samples, asking, step))
    if life.not_told:
        console.print(safe(f"\nand {counted(life.not_told, 'sample')} more that are not told"))


def _said(asking: Mapping[str, Any] | None, number: int) -> Text:
    """`3 of at most 8 attempts, until 2 accepted · 2 accepted · 1 more in the journal only`"""
    if asking is None:
        return safe(counted(number, "sample"), "dim")
    attempts = len(asking["attempts"])
    of = f" of at most {count(asking['most'])}" if asking["most"] else ""
    told = [f"{counted(attempts, 'attempt')}{of}"]
    if asking["until"]:
        told[0] += f", until {count(asking['until'])} accepted"
    if asking["accepted"] is not None:
        word = "right" if asking["kind"] == "evaluate" else "accepted"
        told.append(f"{count(asking['accepted'])} {word}")
    told += [
        f"{number:,} failed ({one_line(reason)})" for reason, number in asking["failed"].items()
    ]
    if asking["in_journal_only"]:
        told.append(f"{count(asking['in_journal_only'])} more in the journal only")
    return safe(" · ".join(told), "dim")


def _table(
    attempts: Sequence[Mapping[str, Any]],
    samples: Mapping[str, Mapping[str, Any]],
    asking: Mapping[str, Any] | None,
    step: str,
) -> Table:
    """One row for each attempt; rows of a file say nothing of how they ended."""
    told = [each for each in attempts if each["id"] is None or each["id"] in samples]
    made = [samples[each["id"]]["generation"] for each in told if each["id"]]
    ended = ("ended", "tokens") if asking or any(made) else ()
    titles = ("", "sample", *ended, "verdicts", "then")
    table = plain_table(*titles, right=("", "tokens"), folds=("verdicts", "then"))
    for each in told:
        table.add_row(*_cells(each, samples, asking, step, bool(ended)))
    return table


def _cells(
    each: Mapping[str, Any],
    samples: Mapping[str, Mapping[str, Any]],
    asking: Mapping[str, Any] | None,
    step: str,
    ended: bool,
) -> list[Text | str]:
    number = "" if each.get("index") is None else str(each["index"] + 1)
    number += f" (tier {each['tier'] + 1})" if each.get("tier") else ""
    if each["id"] is None:
        failed = safe(f"failed: {one_line(each['reason'])}", "red")
        return [number, "", "", "", failed, safe(one_line(each.get("detail") or "", 200))]
    sample = samples[each["id"]]
    made = sample["generation"] or {}
    how = [safe(one_line(made.get("finish_reason") or "")), count(made.get("completion_tokens"))]
    verdicts, fate = _verdicts(sample["verdicts"]), _fate(sample, asking, step)
    return [number, safe(one_line(each["id"])), *(how if ended else ()), verdicts, fate]


def _verdicts(verdicts: Mapping[str, Mapping[str, Any]]) -> Text:
    """Those that are not 1, or `all 1`."""
    line = Text()
    for filter_name, verdict in sorted(verdicts.items()):
        if verdict["score"] is None or verdict["score"] < 1:
            line.append(" · " if line else "")
            line.append(f"{one_line(filter_name)} ")
            line.append_text(verdict_text(verdict["score"], verdict["reason"]))
    return line if line or not verdicts else Text("all 1", "green")


def _fate(sample: Mapping[str, Any], asking: Mapping[str, Any] | None, first: str) -> Text:
    """Where it went after it was written: `in mixture ×3 · trained qwen`, or what left it out."""
    events = sample["events"]
    mixed = any(event["what"] == "holds" and event["kind"] == "mix" for event in events)
    told = [
        _end(event, first, sample["verdicts"])
        for event in events
        if not (
            event["what"] == "holds"
            and (event["step"] == first or (mixed and event["kind"] == "select"))
        )
    ]
    told = [*_rewards(events), *(each for each in told if each[0])]
    if not told and asking is not None and asking["accepted"] is not None:
        told = [_accepted(asking, sample["id"])]
    line = Text()
    for text, style in told:
        line.append(" · " if line else "")
        line.append(one_line(text), style)
    return line


def _rewards(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What a policy's sample was worth."""
    found = [event["beside"] for event in events if "reward" in event.get("beside", {})]
    return [
        (f"step {value_text(step)}: reward {value_text(reward)}", "")
        for beside in found
        for step, reward in zip(beside["step"], beside["reward"], strict=True)
    ]


def _accepted(asking: Mapping[str, Any], sample_id: str) -> tuple[str, str]:
    yes = any(each["accepted"] for each in asking["attempts"] if each["id"] == sample_id)
    word = "right" if asking["kind"] == "evaluate" else "accepted"
    return (word, "green") if yes else (f"not {word}", "red")


def _end(
    event: Mapping[str, Any], first: str, verdicts: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str]:
    """An event in a few words; none for one that ends nothing. The filter is enough of a reason,
    since its verdict stands beside it, and so is a step's name within the recipe of the `first`."""
    here = event["step"].partition("/")[0] == first.partition("/")[0]
    step = event["step"].partition("/")[2] if here else event["step"]
    if event["what"] == "holds":
        return f"in {step}" + ("" if event["copies"] == 1 else f" ×{event['copies']}"), "green"
    if event["what"] == "left_out":
        by = [each for each, said in verdicts.items()
              if event["reason"] in (f"{each}_{said['reason']}", f"{each}_unknown")]  # fmt: skip
        return f"not in {step}: {by[0] if by else event['because']}", "red"
    if event["what"] == "trained":
        return f"trained {step}", "green"
    if event["what"] in ("labelled", "rewritten"):
        return f"{event['what']} as {event['as']}", ""
    return "", ""


def _first_step(sample: Mapping[str, Any]) -> str:
    return next((str(e["step"]) for e in sample["events"] if e["what"] == "holds"), "nowhere")
