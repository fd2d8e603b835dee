"""The line between a step and the processes that train for it on the same machine.

A Unix socket, JSON objects both ways: a process tells progress, errors and that it is done; the
step can ask to stop. It also tells both that the other one died, however it died, because the
kernel then closes its end. That matters: torchrun starts every process in a session of its own,
where the guardian of the step's process group (pipeline/step_process.py) does not reach it.
Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ...pipeline.progress import Event

SOCKET: Final = "POTSTILL_STEP_SOCKET"
"""Environment variable with the socket's path."""
GONE: Final = "gone"
"""What the step hears when a process's end of the line was closed."""
_STOP: Final = b"stop"


class StepEnd:
    """The step's end. Closing it ends every process that still listens."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="potstill-")
        self.address = str(Path(self._folder) / "step")
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(self.address)
        self._server.listen()
        self._lines: dict[Connection, int | None] = {}  # rank, once it was told

    def hear(self, seconds: float) -> Iterator[Event]:
        """Everything that is told within so many seconds; each event has its `rank`.

        The rank is None for a process that was gone before it said a word.
        """
        for ready in wait([self._server, *self._lines], seconds):
            if isinstance(ready, Connection):
                yield self._event(ready)
            else:
                accepted, _ = self._server.accept()
                self._lines[Connection(accepted.detach())] = None

    def ask_to_stop(self) -> None:
        """Pass on a wish to stop."""
        for line in self._lines:
            try:
                line.send_bytes(_STOP)
            except BrokenPipeError:
                continue  # it is gone, and `hear` will tell so

    def _event(self, line: Connection) -> Event:
        try:
            event: dict[str, Any] = json.loads(line.recv_bytes())
        except (EOFError, ConnectionResetError):
            line.close()
            return {"event": GONE, "rank": self._lines.pop(line)}
        self._lines[line] = event["rank"]
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for line in self._lines:
            line.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class RankEnd:
    """A process's end. When the step is gone, this process and its children are, too."""

    def __init__(self, address: str, rank: int) -> None:
        self.stop_wished = False
        self._rank = rank
        self._folder = Path(address).parent
        self._line = Client(address, family="AF_UNIX")
        self._lock = threading.Lock()
        if os.getpgrp() != os.getpid():
            os.setsid()  # or the end of this group would be the end of the launcher's
        threading.Thread(target=self._listen, name="step", daemon=True).start()

    def tell(self, event: Event) -> None:
        """Send an event, from any thread."""
        with self._lock:
            self._line.send_bytes(json.dumps({**event, "rank": self._rank}).encode())

    def _listen(self) -> None:
        try:
            while True:
                self._line.recv_bytes()
                self.stop_wished = True
        except (EOFError, OSError):
            shutil.rmtree(self._folder, ignore_errors=True)  # where the step was killed
            os.killpg(0, signal.SIGKILL)
