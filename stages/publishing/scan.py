"""Looking for secrets and addresses in everything that would be uploaded.

Text columns are scanned in polars, file by file and column by column: a pattern that is found fast
marks the rows that may hold something, and only those are read one by one. Findings say where and
what kind, with an excerpt that never shows the secret. Whether they stop an upload is decided
elsewhere.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from .secrets import KINDS, LOCAL_PATH, masked

_TABLES: Final = (".parquet", ".jsonl", ".csv")
_TEXTS: Final = (".md", ".json", ".jinja", ".txt")
_VOCABULARIES: Final = ("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt")
"""Pieces of words, as anybody may download them."""
_EXAMPLES: Final = 20
"""Findings of each kind that are told one by one; all are counted."""


@dataclass(frozen=True)
class Finding:
    """One place."""

    kind: str
    file: str
    column: str | None
    row: str | None
    """Its id, or its number where rows have none."""
    excerpt: str


@dataclass
class Findings:
    """What a scan found; the first ones of each kind, and how many there are."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= _EXAMPLES:
            self.examples.append(finding)

    def stopping(self, allow: frozenset[str]) -> dict[str, int]:
        """Counts of the kinds that are neither allowed nor notes."""
        notes = {kind.name for kind in KINDS if kind.only_note}
        return {
            kind: count
            for kind, count in sorted(self.counts.items())
            if kind not in allow and kind not in notes
        }

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        examples = [asdict(finding) for finding in self.examples]
        return {"counts": dict(sorted(self.counts.items())), "examples": examples}


def scan(files: Mapping[str, Path | bytes]) -> Findings:
    """Scan all files that hold text.

    Args:
        files: by their name in the repository.
    """
    found = Findings()
    for name, source in sorted(files.items()):
        if name.endswith(_TABLES):
            _scan_table(name, source, found)
        elif name.endswith(_TEXTS) and name not in _VOCABULARIES:
            data = source if isinstance(source, bytes) else source.read_bytes()
            text = data.decode("utf-8", errors="replace")
            for kind in (*KINDS, LOCAL_PATH):
                for each in kind.found_in(text):
                    found.add(Finding(kind.name, name, None, None, masked(each)))
    return found


def _scan_table(name: str, source: Path | bytes, found: Findings) -> None:
    rows = _read(name, source)
    ids = rows["id"] if "id" in rows.columns else pl.Series(range(len(rows)))
    for column, texts in _texts(rows):
        for kind in KINDS:
            hits = texts.filter(pl.col("text").str.contains(kind.hint))
            for row, text in hits.iter_rows():
                for each in kind.found_in(text):
                    found.add(Finding(kind.name, name, column, str(ids[row]), masked(each)))


def _read(name: str, source: Path | bytes) -> pl.DataFrame:
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    if name.endswith(".parquet"):
        return pl.read_parquet(opened)
    if name.endswith(".csv"):
        return pl.read_csv(opened, infer_schema=False)
    return pl.read_ndjson(opened, infer_schema_length=None)


def _texts(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every text below a column, however deep, with the number of its row: `prompt.content`."""
    for column in rows.columns:
        numbered = rows.select(pl.int_range(pl.len()).alias("row"), pl.col(column).alias("text"))
        yield from _flat(column, numbered)


def _flat(name: str, rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    kind = rows.schema["text"]
    if kind == pl.String:
        yield name, rows.drop_nulls("text")
    elif isinstance(kind, pl.List):
        yield from _flat(name, rows.explode("text"))
    elif isinstance(kind, pl.Struct):
        for inner in kind.fields:
            below = pl.col("text").struct.field(inner.name).alias("text")
            yield from _flat(f"{name}.{inner.name}", rows.select("row", below))
