"""Two runs begin in one work directory at about the same time: one of them does the work."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from crash_bench import open_site
from crash_invariants import Campaign, files_of
from crash_runs import Warm

SEEDS = range(5)
SMALL = {"problems": 10}


@pytest.fixture(scope="module")
def calm(places: Path, warm: Warm) -> dict[str, str]:
    with open_site(places / "calm of two", **SMALL) as site:
        assert warm.run(site).code == 0
        return files_of(site)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_one_works_and_the_other_leaves(
    place: Path, warm: Warm, other: Warm, calm: dict[str, str], seed: int
) -> None:
    """Which of them, chance decides; the one that leaves may also find all done."""
    with open_site(place / "site", **SMALL) as site:
        campaign = Campaign(site)
        pair = [warm, other]
        random.Random(seed).shuffle(pair)
        for each in pair:
            each.begin(site)
        ended = sorted((each.end() for each in pair), key=lambda each: each.code)
        assert ended[0].code == 0, ended[0].text
        if ended[1].code != 0:
            assert ended[1].code == 2, ended[1].text
            assert "in use by process" in ended[1].text
        assert set(site.server.paid.values()) == {1}
        campaign.after(ended[0])
        campaign.is_as_if_nothing_had_happened(calm)
