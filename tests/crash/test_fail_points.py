"""Every fail point of a run, each of the first three times that it is passed, with every action.

The run is killed, or ends with one clear error. The next one then makes what would have been made,
and nothing that was durable is paid again. A full disk and a broken one differ only in the number
of the error, so by default the two take turns; with POTSTILL_KILLS from 200 (`make crash`) both
are tried everywhere.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from crash_bench import open_site
from crash_invariants import Campaign, files_of
from crash_runs import Ended, Warm

from potstill.pipeline.failpoints import FAIL_POINTS

TIMES = 3
PASSED_LESS = {"journal.open": 2}
"""One step of the recipe has a journal, and opens it once to read and once to write."""
SMALL = {"problems": 4, "concurrency": 2, "latency_s": 0.0}
"""Two in flight: one commit holds two completions at most, so there are more commits than three."""
EVERYTHING = int(os.environ.get("POTSTILL_KILLS", "50")) >= 200


def cases(name: str) -> list[str]:
    """What is tried at a fail point, as POTSTILL_FAILPOINT says it."""
    times = range(1, PASSED_LESS.get(name, TIMES) + 1)
    turn = FAIL_POINTS.index(name)
    errors = [
        ("enospc", "eio") if EVERYTHING else (("enospc", "eio")[(turn + k) % 2],) for k in times
    ]
    return [f"{name}:{k}:{action}" for k in times for action in ("kill", *errors[k - 1])]


@pytest.fixture(scope="module")
def calm(places: Path, warm: Warm) -> tuple[dict[str, str], Ended]:
    """The files of an uninterrupted run, and how it ended."""
    with open_site(places / "calm of fail points", **SMALL) as site:
        ended = warm.run(site, fail="count")
        assert ended.code == 0, ended.text
        return files_of(site), ended


@pytest.fixture
def attempt(
    place: Path, warm: Warm, other: Warm, calm: tuple[dict[str, str], Ended]
) -> Callable[[str], None]:
    """Tries one case in whichever warm process is idle."""
    idle: SimpleQueue[Warm] = SimpleQueue()
    idle.put(warm)
    idle.put(other)

    def run(case: str) -> None:
        mine = idle.get()
        try:
            _try(place / case.replace(":", "-"), case, mine, calm[0])
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error
        finally:
            idle.put(mine)

    return run


@pytest.mark.slow
def test_a_run_passes_them_all(calm: tuple[dict[str, str], Ended]) -> None:
    passed = calm[1].passed
    expected = {name: PASSED_LESS.get(name, TIMES) for name in FAIL_POINTS}
    few = {name: passed.get(name, 0) for name in expected if passed.get(name, 0) < expected[name]}
    assert not few, f"passed less often than it is tried: {few}"
    assert all(passed[name] == times for name, times in PASSED_LESS.items())


@pytest.mark.slow
@pytest.mark.parametrize("name", FAIL_POINTS)
def test_a_run_that_fails_there_is_made_whole_by_the_next(
    name: str, attempt: Callable[[str], None]
) -> None:
    """Two cases at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(attempt, cases(name)))


def _try(folder: Path, case: str, warm: Warm, calm: dict[str, str]) -> None:
    with open_site(folder, **SMALL) as site:
        campaign = Campaign(site)
        failed = campaign.after(warm.run(site, fail=case))
        if case.endswith("kill"):
            assert failed.code == -signal.SIGKILL, failed.text
        else:
            assert failed.code == 1, failed.text
            _is_one_clear_error(failed.text)
            assert not list(site.work.rglob("*.tmp")), "I6: a temporary file is left"
        ended = campaign.after(warm.run(site))
        assert ended.code == 0, ended.text
        campaign.is_as_if_nothing_had_happened(calm)


def _is_one_clear_error(text: str) -> None:
    assert "Traceback" not in text
    assert "internal error" not in text, text
    errors = [line for line in text.splitlines() if line.startswith("potstill: ")]
    assert len(errors) == 1, text
    assert "un the same command" in errors[0], text
