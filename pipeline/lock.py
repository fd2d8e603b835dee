"""One run at a time in a work directory, and nothing left running by one that was killed.

The lock is `flock` on `<work>/.lock`: the kernel frees it however the holder dies, so there is
never a stale lock to delete. `running.json` names the holder and the process group of its
current step; the next start ends that group if it is still there. Not for NFS.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import RequestError
from .fingerprint import ADDRESS_LENGTH
from .shards import remove_orphans, write_text

LOCK = ".lock"
RUNNING = "running.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
WAIT_SECONDS = 0.2
"""Between two looks at a lock that is waited for: a blocking flock would miss Ctrl-C (polars)."""


@contextlib.contextmanager
def run_lock(work: Path, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the work directory for a run, and say so in it.

    Args:
        waiting: wait while another run holds it, and tell this function so; None: do not wait.

    Raises:
        RequestError: the directory cannot be written, or another run holds it.
    """
    with hold(work, waiting):
        try:
            write_text(work / ".writable", "")
        except OSError as error:
            raise _unwritable(work, error) from error
        announce(work, step=None, group=None)
        yield
        (work / RUNNING).unlink(missing_ok=True)


@contextlib.contextmanager
def hold(work: Path, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the work directory; end and remove what an earlier, killed run left behind.

    Nothing is written, so that a full disk can be held and cleared. Arguments and errors are those
    of `run_lock`.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(work / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unwritable(work, error) from error
    try:
        _acquire(work, descriptor, waiting)
        _end_leftovers(work)
        _remove_orphans(work)
        yield
    finally:
        os.close(descriptor)


def _unwritable(work: Path, error: OSError) -> RequestError:
    return RequestError(
        f"work directory {work} cannot be written: {error.strerror}. "
        "Choose another with --work DIR."
    )


def _acquire(work: Path, descriptor: int, waiting: Callable[[str], None] | None) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if waiting is None:
                raise RequestError(
                    f"work directory {work} is in use by {_holder(work)}. Wait for it (--wait "
                    "does), or choose another with --work DIR."
                ) from error
        if not told:
            waiting(f"waiting for {_holder(work)} to leave {work}")
            told = True
        time.sleep(WAIT_SECONDS)


def announce(work: Path, step: str | None, group: int | None) -> None:
    """Say who holds the work directory and which process group runs the current step."""
    started = _start_time(group) if group is not None else None
    body = {"pid": os.getpid(), "step": step, "group": group, "group_started": started}
    write_text(work / RUNNING, json.dumps(body), "announce")


def running_step(work: Path) -> str | None:
    """`recipe/step` that a live run is working on, None if nobody holds the directory."""
    with contextlib.suppress(OSError):
        descriptor = os.open(work / LOCK, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            step = _read(work).get("step")
            return str(step) if step else None
        finally:
            os.close(descriptor)
    return None


def _holder(work: Path) -> str:
    body = _read(work)
    return f"process {body.get('pid', '?')} (step {body.get('step') or '?'})"


def _end_leftovers(work: Path) -> None:
    body = _read(work)
    group = body.get("group")
    # Boot and start time tell the old group leader from a stranger that got the same number.
    if group and _start_time(group) == body.get("group_started") is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def _remove_orphans(work: Path) -> None:
    """Temporary files of killed runs: in the work directory itself and in artifacts' folders."""
    remove_orphans(work, deep=False)
    for folder in work.glob(f"*/*-{'[0-9a-f]' * ADDRESS_LENGTH}"):
        remove_orphans(folder)


def _start_time(pid: int) -> str | None:
    """When a process began: this boot and clock ticks after it (/proc/PID/stat, field 22).

    Ticks alone could be those of a stranger after a reboot, or on another machine.
    """
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        ticks = text.rpartition(")")[2].split()[19]
        return f"{_BOOT.read_text(encoding='ascii').strip()} {ticks}"
    return None


def _read(work: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        body = json.loads((work / RUNNING).read_text(encoding="utf-8"))
        return body if isinstance(body, dict) else {}
    return {}
