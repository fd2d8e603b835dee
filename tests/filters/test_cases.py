"""Every labelled case of every filter, through the real filter in its real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_tables import files, kind_of, read_cases
from judged_cases import verdicts_of

from potstill.filters import FILTERS

OWN_TESTS = {"votes", "reward_model"}
"""They ask a model: their verdicts are not a matter of the text alone."""
ACCIDENTS = {"worker_crashed"}


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
