"""Golden verdicts change only with the version of their filter."""

from __future__ import annotations

import json
from pathlib import Path

import golden
import pytest
from case_tables import files, read_cases
from judged_cases import verdicts_of

COMMAND = "run: python tests/filters/golden.py"


@pytest.mark.parametrize("table", files(), ids=lambda table: table.stem)
def test_golden_verdicts_change_only_with_the_version(table: Path) -> None:
    before = golden.recorded(table)
    problems = []
    for row in golden.rows_of_today(table):
        was = before.get(row["case"])
        if was is None:
            problems.append(f"{row['where']} has no golden verdict")
        elif was["version"] != row["version"]:
            problems.append(f"{row['where']}: the version was raised to {row['version']}")
        elif golden.changed(was, row):
            problems.append(f"{row['where']}: was {was}, is {row}: raise the filter's version")
    assert not problems, f"{COMMAND}\n" + "\n".join(problems)


@pytest.mark.parametrize("table", files(), ids=lambda table: table.stem)
def test_no_golden_verdict_is_about_a_case_that_is_gone(table: Path) -> None:
    assert golden.recorded(table).keys() == {case.id for case in read_cases(table)}, COMMAND


def test_a_changed_verdict_under_an_unchanged_version_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = next(file for file in files() if file.stem == "format")
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    assert golden.record(table) == []
    recorded = tmp_path / table.name
    rows = [json.loads(line) for line in recorded.read_text("utf-8").splitlines()]
    rows[0] |= {"score": 0.5, "reason": "other"}
    recorded.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    (problem,) = golden.record(table)
    assert "Raise `version`" in problem
    assert json.loads(recorded.read_text("utf-8").splitlines()[0])["score"] == 0.5
    rows[0]["version"] -= 1
    recorded.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    assert golden.record(table) == []


def test_every_case_is_judged_once_for_all_tests() -> None:
    table = files()[0]
    assert verdicts_of(table) is verdicts_of(table)
