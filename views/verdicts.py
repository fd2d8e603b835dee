"""Verdicts on a file as lines for people: `potstill judge FILE` without `--json`.

One line per row and filter in the order of the file, and a count at the end. Text of the file is
sanitised; nothing is judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from .show_rows import evidence_text, verdict_text
from .terminal import counted, one_line

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
