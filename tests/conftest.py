"""For all tests: no network beyond this machine, no spinning threads, caches out of the home."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

# Set before torch loads anywhere: two spinning OpenMP threads beside a busy core are 3-7 times
# slower than sleeping ones, and step processes inherit the environment.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

_LOCAL = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond loopback fails, and says where it wanted to go."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(_LOCAL):
            raise AssertionError(f"a test wanted to connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`datasets` leaves lock files where its cache is."""
    home: Path = tmp_path_factory.mktemp("hf")
    os.environ["HF_HOME"] = str(home)
