"""Sections of a dataset card on what the rows are: mixture, contents, contamination, files.

Each returns Markdown, empty where there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .folder import DataFile
from .markdown import MOST_LINES, code, counts, number, table
from .steps import Steps, filters_of

_CONTAMINATION: Final = "contamination"
"""Kind of the filters that look for evaluation problems in training data."""
_UNITS: Final = ("samples", "tokens", "loss_tokens")


def mixtures(steps: Steps) -> str:
    """Parts of each mixture, and its amounts by source in samples, tokens and loss tokens."""
    told = []
    for artifact in steps.of_kind("mix"):
        metrics = artifact.metrics
        parts = [
            (
                code(name),
                *(number(part.get(key)) for key in ("in", "rows", "copies", "left_out", "epochs")),
                f"{part['share']:.1%}" if part.get("share") is not None else "unknown",
            )
            for name, part in metrics.get("parts", {}).items()
        ]
        head = ("part", "in", "rows", "copies", "left out", "epochs", "share")
        unit = f"Step {code(artifact.step)}, shares in {code(metrics.get('unit'))}.\n"
        by_source = (metrics.get("report") or {}).get("source", {})
        told += [unit, table(head, parts), _amounts("source", by_source)]
    return "\n".join(part for part in told if part)


def _amounts(title: str, found: Mapping[str, Mapping[str, int | None]]) -> str:
    """A table in three units; tokens are unknown where no student was named."""
    ranked = sorted(found.items(), key=lambda item: (-(item[1]["samples"] or 0), item[0]))
    rows = [
        (code(name), *(number(amounts.get(unit)) for unit in _UNITS))
        for name, amounts in ranked[:MOST_LINES]
    ]
    if len(ranked) > MOST_LINES:
        rows.append((f"{len(ranked) - MOST_LINES} more", "", "", ""))
    return table((title, "samples", "tokens", "loss tokens"), rows)


def contents(found: Mapping[str, Any]) -> str:
    """Rows by source, task, language and length."""
    titles = {"length": "length (characters)"}
    by_length = {"length": _by_length}
    return "\n".join(
        by_length.get(name, counts)(titles.get(name, name), values, "samples")
        for name, values in found["samples"].items()
    )


def _by_length(title: str, found: Mapping[str, int], unit: str) -> str:
    """From short to long."""
    total = sum(found.values())
    ranked = sorted(found, key=lambda bucket: int(bucket.partition("-")[0]))
    rows = ((bucket, number(found[bucket]), f"{found[bucket] / total:.1%}") for bucket in ranked)
    return table((title, unit, "share"), rows)


def decontamination(steps: Steps) -> str:
    """Which sets were looked for; that none was is said too."""
    found = {
        name: identity["config"]
        for artifact in steps.all
        for name, identity in filters_of(artifact).items()
        if identity["kind"] == _CONTAMINATION
    }
    if not found:
        return "None was run: evaluation problems may be among these rows.\n"
    return table(("filter", "settings"), ((code(name), code(each)) for name, each in found.items()))


def files(found: Iterable[DataFile]) -> str:
    """Every file with its size and sha256."""
    rows = ((code(file.name), number(file.bytes), code(file.sha256)) for file in found)
    return table(("file", "bytes", "sha256"), rows)
