"""For all tests: no network beyond this machine, no spinning threads, caches out of the home.

And two things for speed: the many processes that tests start find this tree compiled, and the files
that take long are begun first, so that no process of pytest-xdist is left with one at the end.
"""

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
# Where nothing compiled is kept, each process compiles all of potstill anew: 0.1 to 0.2 s of 0.7.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# GiB: all of it is zeroed at each start of an engine, 2 s of CPU time for each GiB.
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

_LOCAL = ("127.", "::1", "localhost")


def pytest_configure(config: pytest.Config) -> None:
    """pytest-xdist would hand out the files with most tests first: a file's time is elsewhere."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no case: gzip writes the second into them, and two workers must agree on names."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first; else the order stays as it is."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
