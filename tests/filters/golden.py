r"""Golden verdicts of the shipped filters: what each said when its version was last raised.

    python tests/filters/golden.py          # writes golden/<table>.jsonl

A changed behaviour without a raised `version` would silently mix old verdicts with new ones, so
this refuses to overwrite a verdict whose filter still has the version it was written with. The
samples are those of the labelled cases (`case_tables.py`): a new case adds a golden verdict.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from case_tables import Case, files
from judged_cases import verdicts_of

from potstill.filters import FILTERS
from potstill.pipeline.verdict import Verdict

FOLDER = Path(__file__).with_name("golden")

Row = dict[str, Any]


def row_of(case: Case, verdict: Verdict) -> Row:
    """A verdict as it is recorded."""
    version = FILTERS[case.kind].version
    told = {"score": verdict.score, "reason": verdict.reason, "evidence": dict(verdict.evidence)}
    return {"case": case.id, "where": case.where, "version": version, **told}


def rows_of_today(table: Path) -> list[Row]:
    """One row for each case of a table of cases."""
    return [row_of(case, verdict) for case, verdict in verdicts_of(table)]


def recorded(table: Path) -> dict[str, Row]:
    """The recorded rows of a table by case; none if nothing was recorded yet."""
    file = FOLDER / table.name
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return {row["case"]: row for row in map(json.loads, lines)}


def changed(before: Row, now: Row) -> bool:
    """Whether the verdict is another one under the same version."""
    return _verdict(before) != _verdict(now) and before["version"] == now["version"]


def _verdict(row: Row) -> tuple[Any, ...]:
    return row["score"], row["reason"], row["evidence"]


def record(table: Path) -> list[str]:
    """Write today's verdicts on a table; returns what forbids it, and writes nothing then."""
    before = recorded(table)
    rows = rows_of_today(table)
    problems = [
        f"{row['where']}: was {_verdict(before[row['case']])} and is {_verdict(row)} under the "
        f"same version {row['version']}. Raise `version` of the filter, then run this again."
        for row in rows
        if row["case"] in before and changed(before[row["case"]], row)
    ]
    if not problems:
        FOLDER.mkdir(exist_ok=True)
        lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
        (FOLDER / table.name).write_text("\n".join(lines) + "\n", "utf-8")
    return problems


def main() -> int:
    """Record all tables; 1 if a verdict changed under an unchanged version."""
    problems = [problem for table in files() for problem in record(table)]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
