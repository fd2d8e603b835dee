"""Drawing what `inspect` found: all that is known of the dataset, or the rows asked for.

The first is its head, files, columns and metrics, figures and verdicts, and what was rejected. Of
rows only the head is said before them; `--json` has the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from .describe import Inspection
from .show_columns import show_title
from .show_histograms import heights, show_histograms
from .show_rejected import show_reasons, show_rejected
from .show_rows import score_text, show_row
from .tables import plain_table
from .terminal import bar, count, counted, one_line, percent, print_table, safe, size, value_text

NUM_FILES = 8
"""Files that are listed one by one."""


def show_inspection(console: Console, found: Inspection) -> None:
    """Everything that was asked for, on a console."""
    _show_head(console, found)
    if found.samples is not None:
        _show_broken(console, found)
        _show_samples(console, found)
        return
    _show_files(console, found)
    if found.columns:
        show_title(console, "columns")
        columns = " · ".join(f"{name} {kind}" for name, kind in found.columns.items())
        console.print(safe(columns), soft_wrap=not console.is_terminal)
    if found.in_full:
        _show_profile(console, found)
        return
    if found.only_rejected and not found.rejected:
        console.print("\nnothing was left out of it")
    if found.metrics:
        _show_metrics(console, found.metrics)
    if found.profile:
        _show_profile(console, found)
    for name, verdicts in found.verdicts.items():
        _show_verdicts(console, name, verdicts)
    for folder, rejected in found.rejected.items():
        show_title(console, folder.replace("_", " "), counted(rejected["rows"], "row"))
        show_rejected(console, rejected)


def _show_head(console: Console, found: Inspection) -> None:
    about = found.about
    if about:
        head = safe(one_line(about["step"]), "bold")
        head.append(f"  {one_line(about['kind'])}  {one_line(about['address'])}")
        if about["inputs"]:
            head.append(f"  made from {one_line(', '.join(about['inputs']))}", "dim")
        console.print(head)
    console.print(safe(found.path, "dim"), soft_wrap=True)
    if found.rows is not None or found.read is not None:
        rows = (
            f"the first {count(found.read)} rows"
            if found.rows is None
            else counted(found.rows, "row")
        )
        files = "" if len(found.shards) == 1 else f" in {count(len(found.shards))} files"
        total = sum(shard["bytes"] for shard in found.shards)
        more = "; there are more, and --where and --sample read them" if found.rows is None else ""
        console.print(f"{rows}{files}, {size(total)}{more}")
    if about and not about["hashed"]:
        told = "sizes are right; sha256 not compared (potstill verify does)"
        console.print(safe(told, "dim"))


def _show_files(console: Console, found: Inspection) -> None:
    """Shards where there are several; other files unless they are verdicts or rejected rows."""
    parts = found.shards if 1 < len(found.shards) <= NUM_FILES else []
    own = [file for file in found.files if Path(file["path"]).parent == Path(found.path)]
    if parts or own:
        show_title(console, "files")
        table = plain_table("", "rows", "bytes", right=("rows", "bytes"))
        for file in [*parts, *own]:
            rows = count(file["rows"]) if "rows" in file else ""
            table.add_row(safe(_below(file["path"], found.path)), rows, size(file["bytes"]))
        print_table(console, table)
    if found.passed_over:
        names = [_below(path, found.path) for path in found.passed_over]
        more = f" and {count(len(names) - NUM_FILES)} more" if len(names) > NUM_FILES else ""
        told = f"passed over: {', '.join(names[:NUM_FILES])}{more}"
        console.print(safe(told, "dim"), soft_wrap=not console.is_terminal)


def _below(path: str, folder: str) -> str:
    return one_line(str(Path(path).relative_to(folder))) if path != folder else Path(path).name


def _show_metrics(console: Console, metrics: Mapping[str, Any]) -> None:
    show_title(console, "metrics")
    table = plain_table("", "", folds=("",))
    for name, value in metrics.items():
        for label, text in _metric_lines(name, value):
            table.add_row(safe(one_line(label)), safe(text))
    print_table(console, table)


def _metric_lines(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """A line for each number of a metric; below the first level a group of numbers is one line."""
    if not isinstance(value, Mapping) or not value:
        yield name, value_text(value)
    elif depth and not any(isinstance(item, Mapping) for item in value.values()):
        yield name, " · ".join(f"{one_line(key)} {value_text(n)}" for key, n in value.items())
    else:
        for key, item in value.items():
            yield from _metric_lines(f"{name}/{key}", item, depth + 1)


def _show_profile(console: Console, found: Inspection) -> None:
    profile = found.profile
    named = found.rows is not None and profile["sampled"] < found.rows
    of = f"of {count(profile['sampled'])} rows from all over it" if named else ""
    if profile["lengths"]:
        show_title(console, "lengths in characters", of)
        show_histograms(console, profile["lengths"], found.in_full)
    if profile["distinct"]:
        told = " · ".join(f"{name} {count(n)}" for name, n in profile["distinct"].items())
        show_title(console, "distinct texts", of)
        console.print(safe(told), soft_wrap=not console.is_terminal)
    if profile["numbers"]:
        show_title(console, "numbers")
        show_histograms(console, profile["numbers"], found.in_full)
    if profile["counts"]:
        show_title(console, "rows by value")
        _show_counts(console, profile["counts"])


def _show_counts(console: Console, counts: Mapping[str, Mapping[str, Any]]) -> None:
    table = plain_table("", "", "rows", "share", "bar", right=("rows", "share"))
    table.show_header = False
    for name, found in counts.items():
        rows = [*found["values"].items()]
        if found["more"]:
            rest = found["rows"] - sum(found["values"].values())
            rows.append((f"{count(found['more'])} more", rest))
        for place, (value, number) in enumerate(rows):
            share = number / found["rows"]
            picture = Text(bar(share, 20) if console.is_terminal else "", "cyan")
            label = safe("" if place else one_line(name, 20), "bold")
            text = safe(one_line(value, 40))
            table.add_row(label, text, count(number), percent(share), picture)
    print_table(console, table, pictures=True)


def _show_verdicts(console: Console, name: str, verdicts: Mapping[str, Any]) -> None:
    mean = verdicts["mean_score"]
    known = verdicts["rows"] - verdicts["unknown"]
    show_title(
        console,
        f"verdicts of {name}",
        f"mean score {'unknown' if mean is None else score_text(mean)} of {count(known)}, "
        f"{count(verdicts['unknown'])} unknown",
    )
    if console.is_terminal and _is_graded(verdicts["scores"]):
        console.print(Text.assemble("0 ", (heights(verdicts["scores"]), "cyan"), " 1"))
    show_reasons(console, verdicts["reasons"])


def _is_graded(scores: Sequence[int]) -> bool:
    """Whether there are scores beside exactly 1 and those below a tenth."""
    return any(scores[1:-1])


def _show_broken(console: Console, found: Inspection) -> None:
    """Lines of a file that are no row, in a word: they are not among the rows shown."""
    if broken := found.rejected.get("broken"):
        reasons = ", ".join(f"{count(n)} {reason}" for reason, n in broken["reasons"].items())
        console.print(safe(f"lines that are no rows, which --rejected shows: {reasons}", "yellow"))


def _show_samples(console: Console, found: Inspection) -> None:
    samples = found.samples or []
    if found.matched is not None:
        share = f" of {count(found.rows)}" if found.rows is not None else ""
        show_title(console, f"{count(found.matched)}{share} rows match", f"{len(samples)} shown")
    else:
        show_title(console, counted(len(samples), "row"))
    for sample in samples:
        console.print()
        show_row(console, sample["row"], sample["verdicts"])
