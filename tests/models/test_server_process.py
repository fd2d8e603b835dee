"""A server that is owned, with a small stand-in: start, death, restart, and nothing left behind."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from potstill.models import server_process
from potstill.models.server_process import MOST_RESTARTS, ServerProcess
from potstill.pipeline.errors import StepFailed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, as vLLM does")

SERVER = """
import os, pathlib, subprocess, sys, http.server, signal
port, folder, mode = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
starts = len(list(folder.iterdir()))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / f"start-{starts}").write_text(f"{os.getpid()} {child.pid}")
print("key in arguments:", os.environ["SECRET"] in sys.argv, flush=True)
if mode == "dies" or (mode == "dies later" and starts):
    sys.exit("the engine has no memory left")
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ill = (folder.parent / "ill").exists() and not starts
        self.send_response(404 if mode == "never" else 503 if ill else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *given): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
"""
"""Notes its own and its child's process id at each start. The child outlives it if it may."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(server_process, "GRACE_S", 1.0)


class Bench:
    """A server that is not started, and what it leaves behind."""

    def __init__(self, folder: Path, mode: str, startup_s: float) -> None:
        self.starts = folder / "starts"
        self.starts.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        script = folder / "server.py"
        script.write_text(SERVER)
        command = [sys.executable, str(script), str(port), str(self.starts), mode]
        environment = {**os.environ, "SECRET": "s3cr3t"}
        self.notes: list[str] = []
        self.server = ServerProcess(command, environment, port, self.notes.append, startup_s)

    def pids(self) -> list[tuple[int, int]]:
        """Server and child, by start."""
        files = sorted(self.starts.iterdir())
        return [(int(a), int(b)) for a, b in (file.read_text().split() for file in files)]


@contextmanager
def bench(folder: Path, mode: str = "well", startup_s: float = 60.0) -> Iterator[Bench]:
    made = Bench(folder, mode, startup_s)
    try:
        yield made
    finally:
        made.server.close()
        for pair in made.pids():
            assert not any(map(is_alive, pair))


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except OSError:
        return False


def until(condition: Callable[[], Any]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("mode", ["well", "stubborn"])
def test_it_runs_in_the_group_of_its_owner_and_is_gone_afterwards(
    tmp_path: Path, mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with bench(tmp_path, mode) as made:
        made.server.start()
        assert made.server.ready.is_set()
        ((pid, child),) = made.pids()
        assert pid == made.server.pid
        assert {os.getpgid(pid), os.getpgid(child)} == {os.getpgid(0)}
    assert "the server answers" in made.notes[0]
    assert "key in arguments: False" in capfd.readouterr().err


def test_one_that_does_not_start_says_its_last_words(tmp_path: Path) -> None:
    with (
        bench(tmp_path, "dies") as made,
        pytest.raises(StepFailed, match=r"code 1 while starting(.|\n)*no memory left"),
    ):
        made.server.start()


def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with (
        bench(tmp_path, "never", startup_s=1.5) as made,
        pytest.raises(StepFailed, match="did not answer within 2 s"),
    ):
        made.server.start()


def test_one_that_dies_is_started_again_after_its_children_are_gone(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.server.start()
        os.kill(made.server.pid, signal.SIGKILL)
        until(lambda: len(made.pids()) == 2 and made.server.ready.is_set())
        assert not any(map(is_alive, made.pids()[0]))
        assert made.server.restarts == 1
        assert made.server.fault is None
        assert not made.server.is_settled(60)


def test_one_whose_engine_is_dead_is_started_again(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.server.start()
        (tmp_path / "ill").touch()
        until(lambda: len(made.pids()) == 2 and made.server.ready.is_set())
        assert made.server.restarts == 1


def test_one_that_dies_too_often_is_given_up(tmp_path: Path) -> None:
    with bench(tmp_path, "dies later") as made:
        made.server.start()
        os.kill(made.server.pid, signal.SIGKILL)
        until(lambda: made.server.fault)
        assert made.server.restarts == MOST_RESTARTS
        assert len(made.pids()) == 1 + MOST_RESTARTS
        assert "no memory left" in (made.server.fault or "")
        assert not made.server.ready.is_set()
