"""The verdicts on a table of cases, judged once for all tests that look at them.

All tables of a filter are judged together: a start of its worker processes costs as much as some
hundred verdicts, and most tables are shorter than that.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from case_tables import Case, files, judge_cases, kind_of, read_cases

from potstill.pipeline.verdict import Verdict


@cache
def verdicts_of(file: Path) -> list[tuple[Case, Verdict]]:
    """Each case of a table with its verdict."""
    start = f"{file.name}:"
    return [pair for pair in _verdicts_of_kind(kind_of(file)) if pair[0].where.startswith(start)]


@cache
def _verdicts_of_kind(kind: str) -> list[tuple[Case, Verdict]]:
    tables = [file for file in files() if kind_of(file) == kind]
    return judge_cases([case for file in tables for case in read_cases(file)])
