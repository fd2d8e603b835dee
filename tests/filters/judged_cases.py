"""The verdicts on a table of cases, judged once for all tests that look at them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from case_tables import Case, judge_cases, read_cases

from potstill.pipeline.verdict import Verdict


@cache
def verdicts_of(file: Path) -> list[tuple[Case, Verdict]]:
    """Each case of a table with its verdict."""
    return judge_cases(read_cases(file))
