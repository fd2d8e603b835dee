"""Drawing what `inspect` found: the facts first, then rejected rows by reason, then rows whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from .describe import Inspection
from .show_rows import is_sample, score_text, show_labelled, show_row
from .tables import plain_table
from .terminal import bar, count, counted, one_line, percent, print_table, safe, size, value_text

EXAMPLE_LENGTH = 300
"""Characters of a rejected row's text that an example shows; `why` and `--json` show it whole."""


def show_inspection(console: Console, found: Inspection) -> None:
    """Everything that was asked for, on a console."""
    _show_head(console, found)
    _show_files(console, found)
    if found.columns:
        _title(console, "columns")
        columns = " · ".join(f"{name} {kind}" for name, kind in found.columns.items())
        console.print(safe(columns), soft_wrap=not console.is_terminal)
    if found.metrics:
        _show_metrics(console, found.metrics)
    for name, verdicts in found.verdicts.items():
        _show_verdicts(console, name, verdicts)
    for folder, rejected in found.rejected.items():
        _show_rejected(console, folder, rejected)
    if found.samples is not None:
        _show_samples(console, found)


def _show_head(console: Console, found: Inspection) -> None:
    if found.about:
        about = found.about
        head = safe(one_line(about["step"]), "bold")
        head.append(f"  {one_line(about['kind'])}  {one_line(about['address'])}")
        if about["inputs"]:
            head.append(f"  made from {one_line(', '.join(about['inputs']))}", "dim")
        console.print(head)
    console.print(safe(found.path, "dim"), soft_wrap=True)
    if found.rows is not None:
        shards = "" if len(found.shards) == 1 else f" in {len(found.shards)} shards"
        total = sum(shard["bytes"] for shard in found.shards)
        console.print(f"{counted(found.rows, 'row')}{shards}, {size(total)}")


def _show_files(console: Console, found: Inspection) -> None:
    """Shards where there are several; other files unless they are verdicts or rejected rows."""
    parts = found.shards if len(found.shards) > 1 else []
    own = [file for file in found.files if Path(file["path"]).parent == Path(found.path)]
    if not parts and not own:
        return
    _title(console, "files")
    table = plain_table("", "rows", "bytes", right=("rows", "bytes"))
    for file in [*parts, *own]:
        rows = count(file["rows"]) if "rows" in file else ""
        table.add_row(safe(Path(file["path"]).name), rows, size(file["bytes"]))
    print_table(console, table)


def _show_metrics(console: Console, metrics: Mapping[str, Any]) -> None:
    _title(console, "metrics")
    table = plain_table("", "")
    for name, value in metrics.items():
        if isinstance(value, Mapping) and value:
            for key, item in value.items():
                table.add_row(safe(one_line(f"{name}/{key}")), value_text(item))
        else:
            table.add_row(safe(one_line(name)), value_text(value))
    print_table(console, table)


def _show_verdicts(console: Console, name: str, verdicts: Mapping[str, Any]) -> None:
    mean = verdicts["mean_score"]
    known = verdicts["rows"] - verdicts["unknown"]
    _title(
        console,
        f"verdicts of {name}",
        f"mean score {'unknown' if mean is None else score_text(mean)} of {count(known)}, "
        f"{count(verdicts['unknown'])} unknown",
    )
    _show_reasons(console, verdicts["reasons"])


def _show_reasons(console: Console, reasons: Mapping[str, int]) -> None:
    total = sum(reasons.values())
    table = plain_table("", "rows", "share", "", right=("rows", "share"))
    table.show_header = False
    for reason, rows in reasons.items():
        picture = Text(bar(rows / total, 30) if console.is_terminal else "", "cyan")
        table.add_row(safe(one_line(reason)), count(rows), percent(rows / total), picture)
    print_table(console, table)


def _show_rejected(console: Console, folder: str, rejected: Mapping[str, Any]) -> None:
    _title(console, folder.replace("_", " "), counted(rejected["rows"], "row"))
    _show_reasons(console, rejected["reasons"])
    for reason, rows in rejected.get("examples", {}).items():
        console.print()
        console.print(safe(one_line(reason), "yellow"))
        for number, row in enumerate(rows):
            if number:
                console.print()
            _show_example(console, row)


def _show_example(console: Console, row: Mapping[str, Any]) -> None:
    sample = row.get("sample")
    known = {"reason", "sample"} | ({"id"} if sample and is_sample(sample) else set())
    for name, value in row.items():
        if name not in known and value is not None:
            text = value if isinstance(value, str) else value_text(value)
            show_labelled(console, f"  {name}", one_line(text, EXAMPLE_LENGTH))
    if sample and is_sample(sample):
        asked = sample["prompt"][-1]["content"] if sample["prompt"] else ""
        show_labelled(console, "  id", sample["id"])
        show_labelled(console, "  prompt", one_line(asked, EXAMPLE_LENGTH))
        if sample["completion"] is not None:
            show_labelled(console, "  completion", one_line(sample["completion"], EXAMPLE_LENGTH))


def _show_samples(console: Console, found: Inspection) -> None:
    samples = found.samples or []
    if found.matched is not None:
        share = f" of {count(found.rows)}" if found.rows is not None else ""
        _title(console, f"{count(found.matched)}{share} rows match", f"{len(samples)} shown")
    else:
        _title(console, counted(len(samples), "row"))
    for sample in samples:
        console.print()
        show_row(console, sample["row"], sample["verdicts"])


def _title(console: Console, text: str, beside: str = "") -> None:
    line = safe(one_line(text), "bold")
    if beside:
        line.append(f"  {beside}", "dim")
    console.print()
    console.print(line)
