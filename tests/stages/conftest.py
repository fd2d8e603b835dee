"""What most tests of stages start from: a work directory, and a teacher that answers at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import FaultyServer, serving
from workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(FaultyServer()) as running:
        yield running
