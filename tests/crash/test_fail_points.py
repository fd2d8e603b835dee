"""Every fail point of a run, each of the first three times that it is passed, with every action.

The run is killed, or ends with one clear error. The next one then makes what would have been made,
and nothing that was durable is paid again. Where a disk is full and where it is broken differs
only in the number of the error, so by default the two take turns; `make crash` tries both.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from crash_bench import Ended, Warm, open_site
from crash_invariants import Campaign, files_of

from potstill.pipeline.failpoints import ACTIONS, FAIL_POINTS

TIMES = 3
PASSED_LESS = {"journal.open": 2}
"""One step of the recipe has a journal, and opens it to read and to write."""
SMALL = {"problems": 4, "concurrency": 2, "latency_s": 0.0}
"""Two in flight: one commit holds two completions at most, so there are more commits than three."""

ALL = [
    (name, times, action)
    for name in FAIL_POINTS
    for times in range(1, PASSED_LESS.get(name, TIMES) + 1)
    for action in ACTIONS
]
ERRORS = [action for action in ACTIONS if action != "kill"]
TURNS = [
    (name, times, action)
    for place, (name, times, action) in enumerate(ALL)
    if action == "kill" or action == ERRORS[place // len(ACTIONS) % len(ERRORS)]
]
CASES = ALL if int(os.environ.get("POTSTILL_KILLS", "50")) >= 200 else TURNS


@pytest.fixture(scope="module")
def calm(places: Path, warm: Warm) -> tuple[dict[str, str], Ended]:
    """The files of an uninterrupted run, and how it ended."""
    with open_site(places / "calm of fail points", **SMALL) as site:
        ended = warm.run(site, count=True)
        assert ended.code == 0, ended.text
        return files_of(site), ended


@pytest.mark.slow
def test_a_run_passes_them_all(calm: tuple[dict[str, str], Ended]) -> None:
    passed = calm[1].passed
    expected = {name: PASSED_LESS.get(name, TIMES) for name in FAIL_POINTS}
    few = {name: passed.get(name, 0) for name in expected if passed.get(name, 0) < expected[name]}
    assert not few, f"passed less often than it is tried: {few}"
    assert all(passed[name] == times for name, times in PASSED_LESS.items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "times", "action"), CASES, ids=[":".join(map(str, case)) for case in CASES]
)
def test_a_run_that_fails_there_is_made_whole_by_the_next(
    place: Path,
    warm: Warm,
    calm: tuple[dict[str, str], Ended],
    name: str,
    times: int,
    action: str,
) -> None:
    with open_site(place / "site", **SMALL) as site:
        campaign = Campaign(site)
        failed = campaign.after(warm.run(site, fail=f"{name}:{times}:{action}"))
        if action == "kill":
            assert failed.code == -signal.SIGKILL, failed.text
        else:
            assert failed.code == 1, failed.text
            _is_one_clear_error(failed.text)
            assert not list(site.work.rglob("*.tmp")), "I6: a temporary file is left"
        ended = campaign.after(warm.run(site))
        assert ended.code == 0, ended.text
        campaign.is_as_if_nothing_had_happened(calm[0])


def _is_one_clear_error(text: str) -> None:
    assert "Traceback" not in text
    assert "internal error" not in text
    errors = [line for line in text.splitlines() if line.startswith("potstill: ")]
    assert len(errors) == 1, text
    assert "un the same command" in errors[0]
