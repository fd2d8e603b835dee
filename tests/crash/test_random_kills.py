"""kill -9 at random instants, again and again, until a run comes to its end.

POTSTILL_KILLS says how many kills there are in all (50; `make crash`: 200), POTSTILL_SEED chooses
the instants. A failing test tells its seed and the instants, in seconds after the start of a run;
where a run is at that time differs a little from machine to machine, so a failure may need more
than one repetition.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from crash_bench import FIXED, UNTIL, open_site
from crash_invariants import Campaign, files_of, runs_as_a_no_op
from crash_runs import Warm
from faulty_server import typical

KILLS = int(os.environ.get("POTSTILL_KILLS", "50"))
SEED = int(os.environ.get("POTSTILL_SEED", "1"))
KILLS_OF_ONE = 10
FORMS = [
    ("until", 0.0, "slow disk"),
    ("fixed", 0.2, "slow disk"),
    ("until", 0.2, ""),
    ("fixed", 0.0, ""),
    ("until", 0.2, "slow disk"),
]
ASKING = {"until": UNTIL, "fixed": FIXED}
CAMPAIGNS = [(SEED + n, *FORMS[n % len(FORMS)]) for n in range(-(-KILLS // KILLS_OF_ONE))]


class Calm:
    """What uninterrupted runs make, and how long they take."""

    def __init__(self, folder: Path, warm: Warm) -> None:
        self.files: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}
        for form, asking in ASKING.items():
            with open_site(folder / form, asking) as site:
                start = time.monotonic()
                ended = warm.run(site)
                self.seconds[form] = time.monotonic() - start
                assert ended.code == 0, ended.text
                campaign = Campaign(site)
                campaign.after(ended)
                campaign.is_as_if_nothing_had_happened(files_of(site))
                self.files[form] = files_of(site)


@pytest.fixture(scope="module")
def calm(places: Path, warm: Warm) -> Calm:
    return Calm(places / "calm", warm)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "form", "faults", "disk"), CAMPAIGNS)
def test_whatever_instant_it_is_killed_at(
    place: Path, warm: Warm, calm: Calm, seed: int, form: str, faults: float, disk: str
) -> None:
    chance = random.Random(seed)
    kills = rounds = 0
    while kills < KILLS_OF_ONE:
        faulty: dict[str, Any] = {"rates": typical(faults), "seed": seed}
        with open_site(place / f"round-{rounds}", ASKING[form], **faulty) as site:
            campaign = Campaign(site)
            ended = None
            while ended is None or ended.code < 0:
                instant = chance.uniform(0, 0.7 * calm.seconds[form])
                may_die = campaign.kills + kills < KILLS_OF_ONE
                sys.stdout.write(f"seed {seed}, round {rounds}: killed after {instant:.4f} s\n")
                ended = campaign.after(
                    warm.run(site, kill_after=instant if may_die else None, fail=disk)
                )
            assert ended.code == 0, ended.text
            campaign.is_as_if_nothing_had_happened(calm.files[form])
            runs_as_a_no_op(site, warm)
            assert warm.leftovers == [], "I6: a process is left"
            kills, rounds = kills + campaign.kills, rounds + 1
