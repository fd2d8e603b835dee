"""The rows to train on, and the account of all others.

Every row of the data is either here as tokens or in `left_out/` with its reason, so the counts
close:

    in = rows trained on + left out by reason

where `examples` counts token rows, of which a long row that was split makes several.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ...pipeline.errors import RequestError
from ...pipeline.shards import write_rows

EXAMPLE_SCHEMA: Final = pa.schema(
    [("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))]
)
LEFT_OUT_SCHEMA: Final = pa.schema(
    [("id", pa.string()), ("copy", pa.int64()), ("reason", pa.string())]
)


@dataclass
class Examples:
    """Token rows, and what became of every row of the data."""

    table: pa.Table = field(default_factory=EXAMPLE_SCHEMA.empty_table)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    too_long: list[int] = field(default_factory=list)
    """Lengths in tokens of the rows that are longer than allowed and were not split."""
    agreement: Counter[str] = field(default_factory=Counter)
    """How the template's own render compares (models/chat.py)."""
    rows: int = 0
    split_rows: int = 0
    pieces: int = 0
    """Token rows that the split rows became."""
    tokens: int = 0
    loss_tokens: int = 0
    longest: int = 0

    @property
    def metrics(self) -> dict[str, Any]:
        """Counts, as JSON values."""
        reasons = Counter(row["reason"] for row in self.left_out)
        split = {"split": {"rows": self.split_rows, "pieces": self.pieces}}
        return {
            "in": self.rows,
            "examples": self.table.num_rows,
            "left_out": dict(sorted(reasons.items())),
            **(split if self.split_rows else {}),
            "tokens": self.tokens,
            "loss_tokens": self.loss_tokens,
            "longest": self.longest,
            "template": dict(sorted(self.agreement.items())),
        }


def write_left_out(out: Path, examples: Examples) -> None:
    """`left_out/part-*.parquet`: id, copy and reason of each row that is not trained, no text."""
    write_rows(out / "left_out", examples.left_out, LEFT_OUT_SCHEMA)


def refuse_too_long(examples: Examples, max_length: int, model_length: int) -> None:
    """Stop rather than train without the long rows unasked.

    Raises:
        RequestError: names how many rows are too long, the longest, and what to set.
    """
    count = len(examples.too_long)
    if not count:
        return
    longest = max(examples.too_long)
    advice = (
        "Set over_length: drop to train without them, each listed in left_out/, or over_length: "
        "split to train them in pieces"
    )
    if longest <= model_length:
        advice = f"Set max_length: {longest} to keep all (the model takes {model_length}). {advice}"
    raise RequestError(
        f"{count} of {examples.rows} rows ({count / examples.rows:.1%}) are longer than max_length "
        f"{max_length}; the longest has {longest} tokens. Nothing is cut silently, since a cut "
        f"row loses the end of its reasoning and its answer. {advice}."
    )


def refuse_nothing(examples: Examples, name: str) -> None:
    """A training needs rows.

    Raises:
        RequestError: none is left; names why.
    """
    if not examples.table.num_rows:
        raise RequestError(
            f"no row of {name!r} can be trained on: {examples.rows} rows, left out: "
            f"{examples.metrics['left_out']}. Expected at least one row with a completion: a "
            "generate step writes them, or load says which column has them (columns: {prompt: …, "
            "completion: …})."
        )
