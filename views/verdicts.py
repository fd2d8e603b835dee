"""Verdicts on a file as lines for people: `potstill judge FILE` without `--json`.

One line per row and filter in the order of the file, and a count at the end; of checked keys only
those that are not accepted. Text of the file is sanitised; nothing is judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from .show_rows import evidence_text, verdict_text
from .terminal import counted, one_line, print_json

EVIDENCE_WIDTH = 120


def show_verdicts(console: Console, verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Print verdicts as they come: id, filter, score with reason, evidence."""
    reasons: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        name = one_line(verdict["filter"])
        reasons.setdefault(name, Counter())[one_line(verdict["reason"])] += 1
        line = Text(f"{one_line(verdict['id'] or '–')}  {name}  ")
        line.append_text(verdict_text(verdict["score"], verdict["reason"]))
        evidence = one_line(evidence_text(verdict["evidence"]), EVIDENCE_WIDTH)
        console.print(line.append(f"  {evidence}", style="dim") if evidence else line)
    for name, counts in reasons.items():
        told = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
        console.print(f"{name}: {counted(counts.total(), 'row')}: {told}")


def show_keys(console: Console, checked: Iterable[Mapping[str, Any]], json: bool) -> int:
    """Print the keys that are not accepted; returns how many these are."""
    refused = unasked = total = 0
    for told in checked:
        total += 1
        unasked += told["accepted"] is None
        if told["accepted"] is not False:
            continue
        refused += 1
        if json:
            print_json(told, indent=None)
            continue
        key = "no key" if told["key"] is None else one_line(repr(told["key"]), EVIDENCE_WIDTH)
        console.print(f"{one_line(told['id'] or '–')}  {one_line(told['filter'])}  ", end="")
        console.print(verdict_text(told["score"], told["reason"]), Text(key, style="dim"))
    if not json:
        told_of_the_rest = f", {unasked:,} that cannot be asked" if unasked else ""
        console.print(
            f"{counted(total, 'key')} checked, {refused:,} not accepted{told_of_the_rest}"
        )
    return refused
