"""Every labelled case of every filter, through the real filter in its real processes.

The verdicts are recorded too (`golden.py`): they change only with the version of their filter. Both
stand in one file, so that a runner that spreads files over processes judges each table once.
"""

from __future__ import annotations

import json
from pathlib import Path

import golden
import pytest
import rates
from case_tables import files, kind_of, read_cases
from judged_cases import verdicts_of

from potstill.filters import FILTERS

COMMAND = "run: python tests/filters/golden.py"
OWN_TESTS = {"votes", "reward_model"}
"""They ask a model: their verdicts are not a matter of the text alone."""
ACCIDENTS = {"worker_crashed", "sandbox_error"}


@pytest.fixture(autouse=True)
def isolation(request: pytest.FixtureRequest) -> None:
    """The tables of `code` need bubblewrap: without it they are skipped, and fail in CI."""
    if "[code" in request.node.name:
        request.getfixturevalue("bubblewrap")


@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_every_case_is_judged_as_it_is_labelled(file: Path) -> None:
    wrong = []
    for case, verdict in verdicts_of(file):
        met = case.is_met_by(verdict)
        if met == case.known_wrong:
            expected = f"{case.score} {case.reason or ''}".strip()
            note = "judged rightly now: take known_wrong away" if met else f"expected {expected}"
            said = f"{verdict.score} {verdict.reason} {dict(verdict.evidence)}"
            wrong.append(f"{case.where} ({case.origin}): {said:.300}; {note}: {case.fields!s:.300}")
    assert not wrong, f"{len(wrong)} cases:\n" + "\n".join(wrong)


@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_no_case_is_there_twice(file: Path) -> None:
    cases = read_cases(file)
    seen: dict[str, str] = {}
    twice = [
        (case.where, seen[case.id])
        for case in cases
        if seen.setdefault(case.id, case.where) != case.where
    ]
    assert not twice


@pytest.mark.parametrize("kind", sorted(FILTERS.keys() - OWN_TESTS))
def test_every_reason_of_a_filter_has_a_case(kind: str) -> None:
    tables = [file for file in files() if kind_of(file) == kind]
    given = {verdict.reason for file in tables for _, verdict in verdicts_of(file)}
    assert given - ACCIDENTS == FILTERS[kind].reasons - ACCIDENTS


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


def test_the_published_rates_are_those_of_today(bubblewrap: str) -> None:
    text = rates.PAGE.read_text("utf-8")
    assert text == rates.page(text), "run: python tests/filters/rates.py"
