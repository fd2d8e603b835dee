"""The line between a step and its processes: words both ways, and a death on either side."""

import os
import subprocess
import sys
import time
from multiprocessing.connection import Client
from pathlib import Path

from potstill.pipeline.progress import Event
from potstill.train.running.channel import GONE, SOCKET, StepEnd

CHILD = """
import os, subprocess, time
from potstill.train.running.channel import SOCKET, RankEnd
line = RankEnd(os.environ[SOCKET], 3)
child = subprocess.Popen(["sleep", "600"])
line.tell({"event": "begun", "pids": [os.getpid(), child.pid]})
while not line.stop_wished:
    time.sleep(0.01)
line.tell({"event": "note", "text": "asked to stop"})
time.sleep(600)
"""


def hear(step: StepEnd, count: int = 1) -> list[Event]:
    heard: list[Event] = []
    while len(heard) < count:
        heard += step.hear(0.1)
    return heard


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_words_both_ways_and_the_end_of_the_step() -> None:
    with StepEnd() as step:
        environment = {**os.environ, SOCKET: step.address}
        child = subprocess.Popen([sys.executable, "-c", CHILD], env=environment)
        (begun,) = hear(step)
        assert (begun["event"], begun["rank"]) == ("begun", 3)
        assert all(map(is_alive, begun["pids"]))
        step.ask_to_stop()
        assert hear(step) == [{"event": "note", "text": "asked to stop", "rank": 3}]
    assert child.wait() == -9  # the line was closed, as the kernel does when the step is killed
    while any(map(is_alive, begun["pids"])):  # its own child, too
        time.sleep(0.01)
    assert not Path(step.address).exists()


def test_the_end_of_a_process() -> None:
    with StepEnd() as step:
        silent, talker = Client(step.address), Client(step.address)
        talker.send_bytes(b'{"event": "begun", "rank": 1}')
        assert hear(step) == [{"event": "begun", "rank": 1}]
        silent.close()
        assert hear(step) == [{"event": GONE, "rank": None}]
        talker.close()
        assert hear(step) == [{"event": GONE, "rank": 1}]
        step.ask_to_stop()  # and nobody is there: no error
        assert not list(step.hear(0))
