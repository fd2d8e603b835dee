"""The command as a user runs it, its step in a process of its own: kill -9, Ctrl-C, two at once.

How wishes to stop travel between processes is tested with toys in pipeline/test_watch.py; here
they meet a real `generate`, and what it bought is counted.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_bench import UNTIL, Site, open_site
from crash_invariants import Campaign, files_of, runs_as_a_no_op
from crash_runs import Ended, Warm, command, marked

KILLS = 5
SEED = int(os.environ.get("POTSTILL_SEED", "1"))
NEVER_S = 600.0
"""Latency of a server that will not answer while a test lasts."""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def mark() -> Iterator[str]:
    """Processes started with it are gone afterwards, whatever became of the test."""
    name = uuid.uuid4().hex
    yield name
    for pid in marked(name):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def calm(places: Path, warm: Warm) -> dict[str, str]:
    """The files of an uninterrupted run, made in one process: real ones make the same bytes."""
    with open_site(places / "calm of real processes", UNTIL) as site:
        assert warm.run(site).code == 0
        return files_of(site)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path / "site", UNTIL) as made:
        yield made


def ended(process: subprocess.Popen[bytes], site: Site) -> Ended:
    """How a command ended; what it told of its spending is not read."""
    code = process.wait(timeout=60)
    return Ended(code, site.output.read_text(encoding="utf-8"))


def until_asked(site: Site, number: int) -> None:
    """Wait until so many more requests have come in."""
    wanted = len(site.server.attempts) + number
    wait_for(lambda: len(site.server.attempts) >= wanted)


@pytest.mark.slow
def test_kill_9_of_the_runner_while_its_step_generates(
    site: Site, mark: str, warm: Warm, calm: dict[str, str]
) -> None:
    """The next run starts at once, whether or not the guardian has ended the step by then.

    After the last kill there is no next run, and nothing may be left either.
    """
    chance = random.Random(SEED)
    campaign = Campaign(site)
    site.server.latency_s = 0.02
    for _ in range(KILLS):
        process = command(site, mark)
        asked, pause = chance.randrange(1, 30), chance.uniform(0, 0.02)
        sys.stdout.write(f"seed {SEED}: killed {pause:.4f} s after {asked} requests\n")
        until_asked(site, asked)
        time.sleep(pause)
        process.kill()
        assert campaign.after(ended(process, site)).code == -signal.SIGKILL
    wait_for(lambda: marked(mark) == [], seconds=10)  # I6: a process is left
    assert campaign.after(warm.run(site)).code == 0
    campaign.is_as_if_nothing_had_happened(calm, costs=False)
    runs_as_a_no_op(site, warm)


@pytest.mark.slow
def test_ctrl_c_once_brings_home_what_is_in_flight(
    site: Site, mark: str, warm: Warm, calm: dict[str, str]
) -> None:
    campaign = Campaign(site)
    site.server.latency_s = 0.2
    process = command(site, mark)
    until_asked(site, 20)
    process.send_signal(signal.SIGINT)
    stopped = campaign.after(ended(process, site))
    assert stopped.code == 75, stopped.text
    assert "finishing what is in flight; Ctrl-C again stops now" in stopped.text
    assert f"stopped: {len(campaign.durable)} requests" in stopped.text
    wait_for(lambda: marked(mark) == [], seconds=10)
    assert set(site.server.paid) == set(campaign.durable.values())
    site.server.latency_s = 0.0
    assert campaign.after(warm.run(site)).code == 0
    assert set(site.server.paid.values()) == {1}
    campaign.is_as_if_nothing_had_happened(calm, costs=False)


def until_told(site: Site, text: str) -> None:
    wait_for(lambda: text in site.output.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_ctrl_c_twice_stops_at_once(
    site: Site, mark: str, warm: Warm, calm: dict[str, str]
) -> None:
    campaign = Campaign(site)
    site.server.latency_s = 0.02
    process = command(site, mark)
    until_asked(site, 20)
    site.server.latency_s = NEVER_S
    wait_for(lambda: site.server._at_once == site.concurrency)
    for told in ("finishing what is in flight", "stopped by Ctrl-C in step 'crash/traces'"):
        process.send_signal(signal.SIGINT)
        until_told(site, told)
    stopped = campaign.after(ended(process, site))
    assert stopped.code == 75, stopped.text
    assert "run the same command to go on" in stopped.text
    wait_for(lambda: marked(mark) == [], seconds=10)  # the kernel takes a moment
    site.server.latency_s = 0.0
    assert campaign.after(warm.run(site)).code == 0
    campaign.is_as_if_nothing_had_happened(calm, costs=False)


@pytest.mark.slow
def test_a_second_run_leaves_while_the_first_generates(
    site: Site, mark: str, warm: Warm, calm: dict[str, str]
) -> None:
    campaign = Campaign(site)
    site.server.latency_s = 0.5
    first = command(site, mark)
    until_asked(site, site.concurrency)
    second = warm.run(site)
    assert second.code == 2, second.text
    holder = f"in use by process {first.pid} (step crash/traces)"
    assert holder in second.text.replace("\n", " "), second.text
    assert first.poll() is None
    site.server.latency_s = 0.0
    assert campaign.after(ended(first, site)).code == 0
    assert set(site.server.paid.values()) == {1}
    campaign.is_as_if_nothing_had_happened(calm, costs=False)
