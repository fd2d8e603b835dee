"""What a program sees of this machine: the bubblewrap command, and the process that runs it.

The root is empty but for the interpreter, the shared libraries, the packages that the config names
(all read-only), a small /tmp in memory and three devices. There is no /proc: without one CPython
works, and with one bubblewrap's own `/proc/1/environ` shows the environment of whoever started it
(bubblewrap#725). Every namespace is new, all capabilities are gone, the system call filter is in
force before the first instruction, and everything dies with the process that called `start`.

`start` only starts: what is said to the process inside is up to `warm.py` and `native.py`.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .cgroup import ControlGroups
from .execution import SandboxFault

TMP_BYTES: Final = 32 << 20
LEAVING_SECONDS: Final = 0.5
GONE_SECONDS: Final = 10.0
"""Killing takes milliseconds; more than this no caller should wait."""
STDERR_BYTES: Final = 10_000
_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_LIBRARIES: Final = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/share/zoneinfo")
_LINKS: Final = ("/lib", "/lib64", "/lib32")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


@dataclass(frozen=True, slots=True)
class Inside:
    """What to run inside, and what it sees beside the shared libraries."""

    command: Sequence[str]
    read_only: Sequence[tuple[str, str]] = ()
    """(folder or file here, its place inside)."""
    hidden: Sequence[str] = ()
    """Folders inside, below what is seen, that are to be empty."""
    texts: Sequence[tuple[bytes, str]] = ()
    """(content, the place inside of a read-only file with it)."""
    environment: Sequence[tuple[str, str]] = ()
    tmp_bytes: int = TMP_BYTES


def find_bwrap() -> str | None:
    """The bubblewrap to use: the system's, else one that the set-up put beside the interpreter."""
    beside = Path(sys.executable).with_name("bwrap")
    return shutil.which("bwrap") or (str(beside) if os.access(beside, os.X_OK) else None)


def start(
    inside: Inside, program_filter: bytes, groups: ControlGroups, stdin: int, stdout: int
) -> subprocess.Popen[bytes]:
    """Start it; bubblewrap's own complaints can be read from its `stderr`.

    Args:
        program_filter: system call filter, in force for everything inside.
        stdin, stdout: descriptors that the process inside has as 0 and 1.

    Raises:
        SandboxFault: bubblewrap is not here, or could not be started.
    """
    bwrap = find_bwrap()
    if bwrap is None:
        raise SandboxFault("bubblewrap (the program bwrap) is not installed")
    held = [_file_of(program_filter), *(_file_of(content) for content, _ in inside.texts)]
    try:
        arguments = _arguments(inside, *held)
        sources = [source for source, _ in [*_libraries(), *inside.read_only]]
        order = {
            "bwrap": [bwrap],
            "arguments": arguments,
            "sources": list(dict.fromkeys(sources)),
            "cgroups": groups.process_files,
        }
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(order)],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={},
            pass_fds=held,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxFault(f"bubblewrap could not be started: {error}") from error
    finally:
        for descriptor in held:
            os.close(descriptor)


def _arguments(inside: Inside, program_filter: int, *texts: int) -> list[str]:
    words: list[str] = [
        *("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"),
        *("--hostname", "sandbox", "--new-session", "--die-with-parent"),
        "--as-pid-1",  # or an init of its own would be left to ours, as a zombie
        *("--clearenv", "--cap-drop", "ALL"),
        *_each("--ro-bind", [*_libraries(), *inside.read_only]),
        *_each("--symlink", [(os.readlink(link), link) for link in _LINKS if os.path.islink(link)]),
        *("--dir", "/dev"),
        *_each("--dev-bind", [(each, each) for each in _DEVICES if os.path.exists(each)]),
        *("--size", str(inside.tmp_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp"),
    ]
    for place in inside.hidden:
        words += ["--tmpfs", place, "--remount-ro", place]
    for descriptor, (_, place) in zip(texts, inside.texts, strict=True):
        words += ["--ro-bind-data", str(descriptor), place]
    return [
        *words,
        *("--remount-ro", "/"),
        *_each("--setenv", inside.environment),
        *("--seccomp", str(program_filter)),
        *inside.command,
    ]


def _libraries() -> list[tuple[str, str]]:
    """Shared libraries and time zones; a /lib that is no link to /usr/lib is one of its own."""
    places = [*_LIBRARIES, *(link for link in _LINKS if not os.path.islink(link))]
    return [(place, place) for place in places if os.path.isdir(place)]


def _each(option: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for pair in pairs for word in (option, *pair)]


def _file_of(content: bytes) -> int:
    """A descriptor from which `content` can be read, by whoever inherits it."""
    descriptor = os.memfd_create("potstill", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def ended(process: subprocess.Popen[bytes]) -> str:
    """End it and everything inside, wait until all is gone; what was said on stderr.

    Its input is closed by now, so it ends by itself and buries its children, or else is killed.
    Every process inside inherited the stderr pipe or dies with the one that did: its end is theirs.
    """
    try:
        process.wait(LEAVING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    told = b""
    with (
        process.stderr or open(os.devnull, "rb") as stream,
        selectors.DefaultSelector() as selector,
    ):
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(GONE_SECONDS) and (got := os.read(stream.fileno(), 1 << 16)):
            told = (told + got)[:STDERR_BYTES]
    return told.decode("utf-8", "replace").strip()
