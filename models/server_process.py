"""A server that runs as long as its owner: started, waited for, watched, restarted, ended.

It stays in the process group of whoever starts it, so the step's guardian ends it and all its
children with the step, even after kill -9; for the same reason nothing here makes a session of its
own. A clean end must find the children by itself: engines that a dead server leaves behind hold
all of the accelerator's memory, and the next start would fail. So they are noted while it lives.

What it prints is passed on to stderr, and its last lines are kept for the message that says why
it died.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Final

from ..pipeline.errors import StepFailed

MOST_RESTARTS: Final = 3
GRACE_S: Final = 5.0
"""From SIGTERM to SIGKILL; less than what a step itself is given to end."""

_LOOK_EVERY_S: Final = 0.5
_TELL_EVERY_S: Final = 30.0
_LAST_LINES: Final = 15


class ServerProcess:
    """One server at 127.0.0.1. `ready` is set while it answers; `fault` once it is given up."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        port: int,
        note: Callable[[str], None],
        startup_s: float = 600.0,
    ) -> None:
        """Nothing runs yet.

        Args:
            environment: of the server, whole; the place for its key, which no argument may hold.
            note: gets words for the user.
            startup_s: seconds from a start to the first answer of /health.
        """
        self.ready = threading.Event()
        self.fault: str | None = None
        self.restarts = 0
        self._ready_since = 0.0
        self._command, self._environment, self._port = list(command), dict(environment), port
        self._note, self._startup_s = note, startup_s
        self._lines: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._closing = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._pipe = 0
        self._watcher = threading.Thread(target=self._watch, name="server-watch", daemon=True)

    def start(self) -> None:
        """Start it, wait until it answers, and watch it from then on.

        Raises:
            StepFailed: it died, or did not answer in time.
        """
        fault = self._spawn()
        if fault is not None:
            raise StepFailed(fault)
        self._watcher.start()

    def close(self) -> None:
        """End it and everything it started."""
        self._closing.set()
        self._end()
        if self._watcher.is_alive():
            self._watcher.join()
            self._end()  # it may have begun another one meanwhile

    def is_settled(self, seconds: float) -> bool:
        """It answers, and has done so for that long."""
        return self.ready.is_set() and time.monotonic() - self._ready_since > seconds

    @property
    def pid(self) -> int:
        """Process id of the server that runs now."""
        assert self._process is not None, "not started"
        return self._process.pid

    def _spawn(self) -> str | None:
        """Start and wait for it; returns why it does not answer."""
        self._process = process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._pass_on, args=(process.stdout,), daemon=True).start()
        assert process.stdout is not None
        self._pipe = os.fstat(process.stdout.fileno()).st_ino
        began = told = time.monotonic()
        while not self._closing.wait(_LOOK_EVERY_S):
            now = time.monotonic()
            if process.poll() is not None:
                self._end()
                return self._told(f"ended with code {process.returncode} while starting")
            if self._health() == 200:
                self._note(f"the server answers after {now - began:.0f} s")
                self._ready_since = now
                self.ready.set()
                return None
            if now - began > self._startup_s:
                self._end()
                return self._told(f"did not answer within {self._startup_s:.0f} s")
            if now - told > _TELL_EVERY_S:
                told = now
                self._note(f"the server is starting, {now - began:.0f} s so far")
        return "it was ended while starting"

    def _watch(self) -> None:
        """Restart it when it dies, until that has happened too often."""
        while not self._closing.wait(_LOOK_EVERY_S):
            assert self._process is not None
            code = self._process.poll()
            if code is None and self._health() != 503:  # 503: alive, but its engine is dead
                continue
            how = "lost its engine" if code is None else f"ended with code {code}"
            self.ready.clear()
            self._end()
            fault: str | None = self._told(how)
            while fault is not None and self.restarts < MOST_RESTARTS:
                self.restarts += 1
                self._note(f"the server {how}: restart {self.restarts} of {MOST_RESTARTS}")
                fault = self._spawn()
                if self._closing.is_set():
                    return
            if fault is not None:
                self.fault = fault
                return

    def _told(self, how: str) -> str:
        """What happened, with the last lines that the server printed."""
        time.sleep(0.1)  # its last words may still be in the pipe
        lines = "".join(f"  | {line[:200]}\n" for line in list(self._lines))
        return f"the server {how}, after {self.restarts} restarts. Its last lines:\n{lines}"

    def _health(self) -> int | None:
        """Status of /health; None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None

    def _pass_on(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._lines.append(line.rstrip("\n"))
                sys.stderr.write(line)

    def _end(self) -> None:
        """SIGTERM for the server, and SIGKILL for what is left of it and its children."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
        while left := _writers(self._pipe):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        process.wait()


def _writers(pipe: int) -> list[int]:
    """Processes whose stdout or stderr is the pipe with this inode."""
    link = f"pipe:[{pipe}]"
    return [pid for pid in _processes() if link in (_printing(pid, 1), _printing(pid, 2))]


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _printing(pid: int, descriptor: int) -> str:
    """Where a process prints; empty if it is gone, a zombie or somebody else's."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except OSError:
        return ""
