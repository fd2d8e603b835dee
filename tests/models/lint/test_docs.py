"""The page on templates and the checks know the same names."""

from __future__ import annotations

import re
from pathlib import Path

from potstill.models.lint import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "templates.md"


def test_every_check_is_told_and_no_other() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == set(CHECKS)
