"""What a step knows of the processes that train for it: which live, what they told, how they ended.

The cause of a failure is seldom the first thing that is heard: where one process dies, the others
fail in their next exchange of gradients with errors about connections. So all last words of a
moment are collected, and judged by how much they say.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import Final

from ...pipeline.budget import Spent
from ...pipeline.errors import PotstillError, StepFailed
from ...pipeline.progress import Event
from ...pipeline.stage import Context
from ...pipeline.step_process import ERRORS
from .channel import GONE, StepEnd

_LOOK_EVERY_S: Final = 0.2
_LAST_WORDS_S: Final = 2.0
"""From the first failure until it is judged."""


class Processes:
    """The processes of one training on this machine."""

    def __init__(self, expected: int, context: Context) -> None:
        self._expected = expected
        self._context = context
        self._ids: dict[int, int] = {}
        """Process ids by rank, of those that live."""
        self._ends: dict[int, Event] = {}
        """By rank, how it ended: done, error or gone."""
        self._spent: dict[int, Spent] = {}
        self._failed_at: float | None = None

    def listen(self, line: StepEnd, launcher: subprocess.Popen[bytes]) -> None:
        """Pass on what is told until all have ended, one has failed, or nobody is left to talk."""
        asked = False
        while not self._is_settled():
            over = launcher.poll() is not None
            if self._context.stop.requested and not asked:
                asked = True
                line.ask_to_stop()
            heard = list(line.hear(_LOOK_EVERY_S))
            for event in heard:
                self._hear(event)
            if over and not heard:
                return

    def failure(self, log: str) -> PotstillError | None:
        """The error of all that happened; None where every process is done.

        Args:
            log: a sentence that says where their output is.
        """
        ends = list(self._ends.values())
        told = [end for end in ends if end["event"] == "error" and end["kind"] is not None]
        for end in sorted(told, key=lambda end: end["kind"] == "stopped"):
            return ERRORS[end["kind"]](end["message"])
        for end in ends:
            if end["event"] == GONE:
                return StepFailed(
                    f"process {end['rank']} of the training was killed, or crashed without a word; "
                    "the kernel kills where memory runs out. Run the same command again: it goes "
                    f"on from the last checkpoint. {log}"
                )
        for end in ends:
            if end["event"] == "error":
                return StepFailed(f"process {end['rank']} failed: {end['message']}. {log}")
        if len(ends) < self._expected:
            return StepFailed(
                f"accelerate ended while {self._expected - len(ends)} of {self._expected} "
                f"processes of the training had not. {log}"
            )
        return None

    def kill(self) -> None:
        """End those that still live, with the processes that they started."""
        for pid in self._ids.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _is_settled(self) -> bool:
        if self._failed_at is not None and time.monotonic() - self._failed_at > _LAST_WORDS_S:
            return True
        return len(self._ends) == self._expected

    def _hear(self, event: Event) -> None:
        name, rank, progress = event["event"], event["rank"], self._context.progress
        if name == "begun":
            self._ids[rank] = event["pid"]
        elif name == "progress":
            progress.update(event["done"], event["total"], **event["facts"])
        elif name == "note":
            progress.note(event["text"])
        elif name == "spent":
            self._spent[rank] = Spent(event["tokens"], event["requests"], event["usd"])
            progress.spent(Spent.total(self._spent.values()))
        else:
            self._end(event)

    def _end(self, event: Event) -> None:
        rank = event["rank"]
        if event["event"] == GONE:
            self._ids.pop(rank, None)
            if rank is None or rank in self._ends:
                return  # it had not begun, which the launcher will tell, or it ended in order
        self._ends[rank] = event
        if event["event"] == GONE or event.get("kind", "stopped") != "stopped":
            self._failed_at = self._failed_at or time.monotonic()
