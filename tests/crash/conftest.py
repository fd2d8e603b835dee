"""The warm process that crash tests fork their runs from, and a place where they cost little."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_runs import Warm

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture(scope="session")
def other() -> Iterator[Warm]:
    """A second one, for two runs at once."""
    process = Warm()
    yield process
    process.close()


@pytest.fixture(scope="session")
def places() -> Iterator[Path]:
    """A folder in memory where there is one: a kill -9 is the same there, an fsync costs nothing.

    What a disk makes of a power cut cannot be tested by killing processes on any file system.
    """
    base = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="potstill-crash-", dir=base) as folder:
        yield Path(folder)


@pytest.fixture
def place(places: Path) -> Iterator[Path]:
    """A new folder there, for one test."""
    with tempfile.TemporaryDirectory(dir=places) as folder:
        yield Path(folder)
