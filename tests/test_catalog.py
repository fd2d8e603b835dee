"""The shipped tables: every kind loads, under its own name, and only when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from potstill.catalog import CATALOG
from potstill.filters import FILTERS
from potstill.pipeline.errors import RequestError
from potstill.stages import STAGES
from potstill.train import TRAINERS


def test_every_kind_is_the_one_it_says() -> None:
    for kind, stage in CATALOG.stages.items():
        assert (stage.kind, CATALOG.stage(kind)) == (kind, stage)
    for kind, judging in CATALOG.filters.items():
        assert (judging.kind, CATALOG.filter(kind)) == (kind, judging)


def test_two_tables_in_one_hold_the_kinds_of_both() -> None:
    assert list(CATALOG.stages) == [*STAGES, *TRAINERS]
    assert len(STAGES | TRAINERS) == len(STAGES) + len(TRAINERS)


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    assert "laod" not in STAGES
    with pytest.raises(RequestError, match=r"unknown kind of step 'laod'.*load"):
        CATALOG.stage("laod")
    with pytest.raises(KeyError):
        FILTERS["mth"]


def test_nothing_is_imported_for_a_kind_that_nobody_asks_for() -> None:
    program = (
        "import sys; from potstill.catalog import CATALOG; CATALOG.filter('format'); "
        "assert 'load' in CATALOG.stages and list(CATALOG.filters); "
        "print(*(name for name in sys.modules if name.startswith('potstill.')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(said.stdout.split())
    assert "potstill.filters.format" in loaded
    assert not loaded & {"potstill.filters.math", "potstill.stages.load", "potstill.train.sft"}
