"""The dataset card of an export: what is in it and which artifact it was made from, as facts.

No clocks and no paths, so the same samples give the same card. Names that come from data are
hostile text: they are quoted before they reach Markdown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from ..pipeline.artifact import Artifact

_MOST_LINES = 20
"""Of each table; a dataset may have a source per row."""


def dataset_card(
    source: Artifact, format_: str, rows: int, counts: Mapping[str, Counter[str]]
) -> str:
    """README.md for a folder with `data/train-*.<format>`.

    Args:
        counts: rows by value, for each column that is worth a table.
    """
    tables = "\n".join(_table(column, counter, rows) for column, counter in counts.items())
    return f"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.{format_}
---

# {source.step}

{rows} rows, written by potstill from its step
`{source.step}` ({source.kind}).

{tables}
Made from artifact `{source.address}`, content sha256 `{source.digest}`.
"""


def _table(column: str, counter: Counter[str], rows: int) -> str:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {column} | rows | share |", "|---|---|---|"]
    for value, count in ranked[:_MOST_LINES]:
        lines.append(f"| {_quoted(value)} | {count} | {count / rows:.1%} |")
    if len(ranked) > _MOST_LINES:
        rest = sum(count for _, count in ranked[_MOST_LINES:])
        lines.append(f"| {len(ranked) - _MOST_LINES} more | {rest} | {rest / rows:.1%} |")
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """One line of code in a Markdown table, whatever the text holds."""
    text = json.dumps(value[:80], ensure_ascii=False)[1:-1]
    for sign in "`|<>":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"`{text or ' '}`"
